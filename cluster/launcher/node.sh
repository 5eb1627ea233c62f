# Settings of rlsweep and Ray on every node; sourced by ~/.bashrc, and again when Ray starts on a worker.
unset RLSWEEP_DATABASE_URL
source ~/.rlsweep/cluster.env
export PATH="$HOME/rlsweep/.venv/bin:$PATH"
# Ray reads the token from ~/.ray/auth_token. By default, Ray's workers run at niceness 15 and get no CPU time while
# another process computes.
export RAY_AUTH_MODE=token RAY_USAGE_STATS_ENABLED=0 RAY_worker_niceness=0
# The launcher gives workers the head's address. Only the head has this file; it uses its own first address.
[ ! -e ~/ray_bootstrap_config.yaml ] || RAY_HEAD_IP=${RAY_HEAD_IP:-$(hostname -I | cut -d' ' -f1)}
RLSWEEP_DATABASE_URL=${RLSWEEP_DATABASE_URL:-postgresql://rlsweep:${RLSWEEP_DATABASE_PASSWORD:-}@${RAY_HEAD_IP:-}:5432/rlsweep?sslmode=require}
export RLSWEEP_DATABASE_URL RLSWEEP_STORAGE
