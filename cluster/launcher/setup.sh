#!/usr/bin/env bash
# Installs rlsweep on a node, in ~/rlsweep/.venv. Give what else is needed there: extras, and packages for Ray's
# autoscaler on the head. A node needs Debian's or Ubuntu's python3-venv, which is installed where it is missing.
set -euo pipefail
cd ~/rlsweep
extras=${1:-}
shift || true
if ! python3 -c 'import ensurepip' 2> /dev/null; then
  # A new machine may still be installing things of its own, whose locks apt waits for in part.
  ! command -v cloud-init > /dev/null || sudo cloud-init status --wait > /dev/null || true
  for _ in $(seq 60); do ! sudo apt-get update -qq || break; sleep 5; done
  sudo env DEBIAN_FRONTEND=noninteractive apt-get -o DPkg::Lock::Timeout=600 install -y -qq --no-install-recommends python3-venv
fi
[ -x .venv/bin/pip ] || python3 -m venv .venv
# Without a GPU, torch's build for CPUs saves 3 GB on each node; its version (2.13.0+cpu) precedes that of PyPI.
command -v nvidia-smi > /dev/null || export PIP_EXTRA_INDEX_URL="${PIP_EXTRA_INDEX_URL:-https://download.pytorch.org/whl/cpu}"
.venv/bin/pip install --quiet --disable-pip-version-check --constraint .constraints.txt --editable ".${extras:+[$extras]}" "$@"
# Each command of the launcher, and each shell on the node, then finds rlsweep, Ray and the settings.
line='source ~/rlsweep/cluster/launcher/node.sh'
grep -qxF "$line" ~/.bashrc || sed -i "1i $line" ~/.bashrc
