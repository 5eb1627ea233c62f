#!/usr/bin/env bash
# Installs PostgreSQL on the head and lets other nodes connect over TLS, with the password in ~/.rlsweep/cluster.env.
# It can be run again at any time. If that file has RLSWEEP_DATABASE_URL, it changes nothing.
set -euo pipefail
unset RLSWEEP_DATABASE_URL  # set by node.sh
source ~/.rlsweep/cluster.env
[ -z "${RLSWEEP_DATABASE_URL:-}" ] || exit 0
if ! command -v pg_lsclusters > /dev/null; then
  # a new machine may still run its own installations; apt waits for some of their locks only
  ! command -v cloud-init > /dev/null || sudo cloud-init status --wait > /dev/null || true
  for _ in $(seq 60); do ! sudo apt-get update -qq || break; sleep 5; done
  sudo env DEBIAN_FRONTEND=noninteractive apt-get -o DPkg::Lock::Timeout=600 install -y -qq --no-install-recommends postgresql ssl-cert
fi
folder=$(echo /etc/postgresql/*/main)
echo "listen_addresses = '*'" | sudo tee "$folder/conf.d/rlsweep.conf" > /dev/null
# Allow addresses of private networks only, so that a mistake in the firewall does not expose the database.
for network in 10.0.0.0/8 172.16.0.0/12 192.168.0.0/16; do
  rule="hostssl rlsweep rlsweep $network scram-sha-256"
  sudo grep -qxF "$rule" "$folder/pg_hba.conf" || echo "$rule" | sudo tee --append "$folder/pg_hba.conf" > /dev/null
done
sudo service postgresql restart
as_postgres() { (cd / && sudo -u postgres psql --quiet --no-align --tuples-only "$@"); }
[ "$(as_postgres --command="select 1 from pg_roles where rolname = 'rlsweep'")" ] || as_postgres --command='create role rlsweep login'
[ "$(as_postgres --command="select 1 from pg_database where datname = 'rlsweep'")" ] || as_postgres --command="create database rlsweep owner rlsweep encoding 'UTF8' template template0"
# passed on standard input, because every user of the machine can see the arguments of a process
echo "alter role rlsweep password '$RLSWEEP_DATABASE_PASSWORD'" | as_postgres
