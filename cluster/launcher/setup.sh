#!/usr/bin/env bash
# Installs rlsweep on a node, in ~/rlsweep/.venv. Arguments: rlsweep's extras and, on the head, packages for Ray's
# autoscaler. Installs Debian's or Ubuntu's python3-venv if it is missing.
set -euo pipefail
cd ~/rlsweep
extras=${1:-}
shift || true
if ! python3 -c 'import ensurepip' 2> /dev/null; then
  # a new machine may still run its own installations; apt waits for some of their locks only
  ! command -v cloud-init > /dev/null || sudo cloud-init status --wait > /dev/null || true
  for _ in $(seq 60); do ! sudo apt-get update -qq || break; sleep 5; done
  sudo env DEBIAN_FRONTEND=noninteractive apt-get -o DPkg::Lock::Timeout=600 install -y -qq --no-install-recommends python3-venv
fi
[ -x .venv/bin/pip ] || python3 -m venv .venv
# Without a GPU, torch's CPU build saves 3 GB on each node; pip prefers its version (2.13.0+cpu) to PyPI's.
command -v nvidia-smi > /dev/null || export PIP_EXTRA_INDEX_URL="${PIP_EXTRA_INDEX_URL:-https://download.pytorch.org/whl/cpu}"
.venv/bin/pip install --quiet --disable-pip-version-check --constraint .constraints.txt --editable ".${extras:+[$extras]}" "$@"
# So every command of the launcher and every shell on the node finds rlsweep, Ray and the settings.
line='source ~/rlsweep/cluster/launcher/node.sh'
grep -qxF "$line" ~/.bashrc || sed -i "1i $line" ~/.bashrc
