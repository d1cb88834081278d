#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# A private Slurm of one node for tests, as an ordinary user, in one folder:
#   tools/slurm_local.sh up DIR [CPUS]   starts it; then: export SLURM_CONF=DIR/slurm.conf
#   tools/slurm_local.sh slurmctld DIR   starts the controller again after it was killed
#   tools/slurm_local.sh slurmd DIR      the same for the node
#   tools/slurm_local.sh down DIR        ends it
# Every daemon's process number stands in DIR/*.pid. Nothing outside DIR is written.
set -u
what=${1:-} dir=${2:-}
[ -n "$what" ] && [ -n "$dir" ] || { sed -n '3,8p' "$0"; exit 2; }
for need in munged slurmctld slurmd sbatch; do
    PATH=$PATH:/usr/sbin command -v $need > /dev/null || { echo "$need is not here (Debian: slurm-wlm, munge)"; exit 3; }
done
export PATH=$PATH:/usr/sbin
case "$dir" in /*) ;; *) dir=$PWD/$dir ;; esac
export SLURM_CONF=$dir/slurm.conf

free_port() { # bash asks the kernel: a port nobody listens on
    local p
    for _ in $(seq 100); do
        p=$((20000 + RANDOM % 20000))
        (: < /dev/tcp/127.0.0.1/$p) 2> /dev/null || { echo $p; return; }
    done
}
wait_for() { # seconds command...: until it succeeds
    local n=$(($1 * 20)); shift
    while [ $n -gt 0 ]; do "$@" > /dev/null 2>&1 && return 0; sleep 0.05; n=$((n - 1)); done
    return 1
}
stop() { # the daemon whose number stands in the file, and nobody else
    local p name=$2
    p=$(cat "$1" 2> /dev/null) || return 0
    [ "$(cat "/proc/$p/comm" 2> /dev/null)" = "$name" ] || return 0
    kill "$p" 2> /dev/null
    for _ in $(seq 60); do
        case "$(cut -d' ' -f3 "/proc/$p/stat" 2> /dev/null)" in '' | Z) return 0 ;; esac
        sleep 0.05
    done
    kill -9 "$p" 2> /dev/null
}
write_conf() {
    local host ctl node cpus=$1 me
    host=$(hostname -s) me=$(id -un) ctl=$(free_port) node=$(free_port)
    cat > "$SLURM_CONF" << CONF
ClusterName=qiao
SlurmctldHost=$host(127.0.0.1)
SlurmUser=$me
SlurmdUser=$me
AuthType=auth/munge
AuthInfo=socket=$dir/munge/socket
CredType=cred/munge
CryptoType=crypto/munge
SlurmctldPort=$ctl
SlurmdPort=$node
StateSaveLocation=$dir/state
SlurmdSpoolDir=$dir/spool
SlurmctldPidFile=$dir/slurmctld.pid
SlurmdPidFile=$dir/slurmd.pid
SlurmctldLogFile=$dir/slurmctld.log
SlurmdLogFile=$dir/slurmd.log
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
JobAcctGatherType=jobacct_gather/none
AccountingStorageType=accounting_storage/none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core
SchedulerType=sched/backfill
SchedulerParameters=batch_sched_delay=0,sched_interval=1
MpiDefault=none
ReturnToService=2
SlurmctldTimeout=30
SlurmdTimeout=60
SlurmdParameters=config_overrides
InactiveLimit=0
KillWait=2
MinJobAge=60
Waittime=0
NodeName=$host NodeAddr=127.0.0.1 CPUs=$cpus State=UNKNOWN
PartitionName=main Nodes=ALL Default=YES MaxTime=INFINITE State=UP
CONF
}
start_munge() {
    mkdir -p "$dir/munge"
    # munge wants every folder above its socket open to all who search
    (umask 077; head -c 1024 /dev/urandom > "$dir/munge/key")
    chmod 0711 "$dir/munge"
    munged --key-file="$dir/munge/key" --socket="$dir/munge/socket" --pid-file="$dir/munge/pid" \
        --log-file="$dir/munge/log" --seed-file="$dir/munge/seed" --num-threads=2 --force > "$dir/munge/out" 2>&1
    wait_for 5 test -S "$dir/munge/socket"
}
case "$what" in
up)
    rm -rf "$dir" && mkdir -p "$dir/state" "$dir/spool" && chmod 0755 "$dir" || exit 1
    write_conf "${3:-$(nproc)}"
    start_munge || { echo "munged does not start:"; cat "$dir/munge/out" "$dir/munge/log"; exit 1; }
    slurmctld -c > "$dir/out" 2>&1
    wait_for 10 scontrol ping || { echo "slurmctld does not start:"; tail -5 "$dir/slurmctld.log" "$dir/out"; "$0" down "$dir"; exit 1; }
    slurmd >> "$dir/out" 2>&1
    wait_for 15 bash -c "sinfo -h -o %t | grep -q idle" || { echo "slurmd does not start:"; tail -5 "$dir/slurmd.log" "$dir/out"; sinfo; "$0" down "$dir"; exit 1; }
    ;;
slurmctld)
    slurmctld >> "$dir/out" 2>&1
    wait_for 10 scontrol ping
    ;;
slurmd)
    slurmd >> "$dir/out" 2>&1
    wait_for 15 bash -c "sinfo -h -o %t | grep -qE 'idle|mix|alloc'"
    ;;
down)
    scancel -u "$(id -un)" > /dev/null 2>&1
    stop "$dir/slurmd.pid" slurmd
    stop "$dir/slurmctld.pid" slurmctld
    stop "$dir/munge/pid" munged
    ;;
*) echo "up, down, slurmctld or slurmd, not '$what'"; exit 2 ;;
esac
