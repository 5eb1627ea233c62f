# What rlsweep and Ray need to know on every node; sourced by ~/.bashrc, and again where Ray starts on a worker.
unset RLSWEEP_DATABASE_URL
source ~/.rlsweep/cluster.env
export PATH="$HOME/rlsweep/.venv/bin:$PATH"
# The token itself lies in ~/.ray/auth_token, where Ray looks for it. Ray's workers would run at niceness 15, and starve
# beside anything else that computes.
export RAY_AUTH_MODE=token RAY_USAGE_STATS_ENABLED=0 RAY_worker_niceness=0
# The launcher tells workers the head's address. The head, which alone has this file, takes its first one.
[ ! -e ~/ray_bootstrap_config.yaml ] || RAY_HEAD_IP=${RAY_HEAD_IP:-$(hostname -I | cut -d' ' -f1)}
RLSWEEP_DATABASE_URL=${RLSWEEP_DATABASE_URL:-postgresql://rlsweep:${RLSWEEP_DATABASE_PASSWORD:-}@${RAY_HEAD_IP:-}:5432/rlsweep?sslmode=require}
export RLSWEEP_DATABASE_URL RLSWEEP_STORAGE
