#!/usr/bin/env bash
# The server's part of a head, and what a node's shell finds, in a network of its own with a private and a public address.
set -euo pipefail
ip address add 10.0.0.5/32 dev lo
ip address add 203.0.113.5/32 dev lo
export RAY_HEAD_IP=10.0.0.5
source ~/.bashrc  # as each command of the launcher does
for round in 1 2; do bash ~/rlsweep/cluster/launcher/database.sh; done
test "$RLSWEEP_STORAGE" = /shared/rlsweep
command -v ray rlsweep
rlsweep sweeps
psql --dbname "$RLSWEEP_DATABASE_URL" --command 'select version(), ssl from pg_stat_ssl where pid = pg_backend_pid()'
# without TLS, and from an address that is not private
for refused in 's/require/disable/' 's/10\.0\.0\.5/203.0.113.5/'; do
  if psql --dbname "$(echo "$RLSWEEP_DATABASE_URL" | sed "$refused")" --command 'select 1'; then exit 1; fi
done
echo "A node's set-up works."
