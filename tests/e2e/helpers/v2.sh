# SPDX-License-Identifier: Apache-2.0
#
# In a machine with cgroup v2 alone: cgroups made, filled, changed and removed beside /salvage guard. A file of a tmpfs
# is memory of who writes it, and can't be dropped without swap. What stands behind "== NAME" is of that part. Each section
# from a line "# --- " to the next runs in a machine of its own, after this head.

C=/sys/fs/cgroup/pod

part() { echo "== $1"; }

make() { # NAME LIMIT
    mkdir "$C/$1"
    echo "$2" >"$C/$1/memory.max"
}

# fill NAME FILE FROM MIB: by a process in the cgroup, a MiB each 100 ms or more
fill() {
    sh -c 'echo $$ >"$0/cgroup.procs"; n=$2; while [ $n -lt $3 ]; do
        dd if=/dev/zero of=/dev/shm/$1 bs=1M count=1 seek=$n conv=notrunc 2>/dev/null || exit; n=$((n + 1)); sleep 0.1; done
        ' "$C/$1" "$2" "$3" "$4"
}

watch_guard() { # OPTION...: in the background, into /store; $guard
    /salvage guard "$@" --do stats --to file:///store --log json 2>&1 &
    guard=$!
    sleep 3
}

end_guard() {
    sleep 3
    kill $guard
    wait $guard
}

dry_run="/salvage guard --dry-run --json --interval 200ms"
mkdir "$C" /store
echo +memory >"$C/cgroup.subtree_control"

# --- signals and samples

echo 200M >"$C/memory.max"

part threshold # by polling alone: nothing notifies of usage
make a 64M
$dry_run --when 'memory>=20M' --for 60s --cgroup "$C/a" &
watch=$!
sleep 2
fill a a 0 24
echo 128M >"$C/a/memory.max"
sleep 6
rm /dev/shm/a
sleep 3
kill $watch
wait

part kill
make b 24M
$dry_run --when event:oom-kill --for 20s --cgroup "$C/b" &
sleep 2
sh -c 'echo $$ >"$0/cgroup.procs"; exec /hog 64' "$C/b" >/dev/null
sleep 1
rmdir "$C/b"
wait

part nested # the pod is nearly full with what others have
make c 190M
make d 190M
fill c c 0 8
echo 12M >"$C/memory.max"
sh -c 'echo $$ >"$0/cgroup.procs"; exec sleep 60' "$C/d" &
inside=$!
sleep 1
$dry_run --for 3s --pid $inside
kill $inside

part unlimited
make e max
echo max >"$C/memory.max"
$dry_run --for 2s --cgroup "$C/e"

part root
$dry_run --for 2s --cgroup /sys/fs/cgroup 2>&1

part without-controller # counted where it is enabled
mkdir "$C/e/inner"
sh -c 'echo $$ >"$0/cgroup.procs"; exec sleep 60' "$C/e/inner" &
inside=$!
sleep 1
$dry_run --for 2s --pid $inside
kill $inside

part stalls # a high limit makes the kernel reclaim in vain
make f 100M
echo 2M >"$C/f/memory.high"
$dry_run --when 'psi.some>=0.1%/1s' --when event:high --for 7s --cgroup "$C/f" &
sleep 2
fill f f 0 4
wait

# --- a guard, its records and what it lends

part guard
make g 48M
/salvage guard --cgroup "$C/g" --when 'memory>=50%' --do stats --to file:///store --log json 2>&1 &
guard=$!
sleep 3
fill g g 0 32
sleep 3
kill $guard
wait $guard
rm /dev/shm/g
find /store -name '*.zst'

part witness # a record of the kill, by the kernel log
make w 24M
mkdir /records
/salvage guard --cgroup "$C/w" --when 'memory>=4G' --to file:///records --compress none --log json 2>&1 &
guard=$!
sleep 3
sh -c 'echo $$ >"$0/cgroup.procs"; exec /hog 64' "$C/w" >/dev/null
sleep 3
kill $guard
wait $guard
tr -d '\n' <"$(find /records -name oom-kill.json)"
echo

part counted # no kernel log to be read
make x 24M
mv /dev/kmsg /dev/kmsg.away
/salvage guard --cgroup "$C/x" --when 'memory>=4G' --to file:///records --log json 2>&1 &
guard=$!
sleep 3
sh -c 'echo $$ >"$0/cgroup.procs"; exec /hog 64' "$C/x" >/dev/null
sleep 3
kill $guard
wait $guard
mv /dev/kmsg.away /dev/kmsg

part lend # the pod's limit and memory.high are nearer than that, too
make y 48M
echo 46M >"$C/y/memory.high"
echo 60M >"$C/memory.max"
mkdir /lent
/salvage guard --cgroup "$C/y" --when 'memory>=50%' --do stats --lend 64M --to file:///lent --compress none --log json 2>&1 &
guard=$!
sleep 3
sh -c 'echo $$ >"$0/cgroup.procs"; exec /hog 40 50' "$C/y" >/dev/null
sleep 3
kill $guard
wait $guard
cat "$(find /lent -name guard.json)"
echo
echo "$(cat "$C/memory.max" "$C/y/memory.high" "$C/y/memory.max")" # one line each
echo max >"$C/memory.max"

part hold # nobody listens there: the case takes longer than it is held
make z 48M
/salvage guard --cgroup "$C/z" --when 'memory>=50%' --do stats --hold --hold-deadline 6s --to http://127.0.0.1:9/ \
    --log json >/hold.log 2>&1 &
guard=$!
sleep 3
sh -c 'echo $$ >"$0/cgroup.procs"; exec /hog 200 20' "$C/z" >/dev/null &
hog=$!
until grep -q guard-limit-changed /hold.log; do sleep 0.1; done
sleep 3
echo "held: $(cat "$C/z/memory.high") $(grep '^oom_kill ' "$C/z/memory.events")"
wait $hog
echo "after: $(cat "$C/z/memory.high") $(grep '^oom_kill ' "$C/z/memory.events")"
kill -9 $guard
wait $guard 2>/dev/null
cat /hold.log

# --- a guard and limits

part guard-unlimited # no time to a limit that is none
make h max
watch_guard --cgroup "$C/h" --when 'oom-in<=1h' --when 'memory>=90%' --when 'memory>=12M'
fill h h 0 16
end_guard
rm /dev/shm/h

part guard-limits # one is lowered below what is used, one is raised
make i 128M
make j 24M
fill i i 0 16
sh -c 'echo $$ >"$0/cgroup.procs"; exec sleep 100' "$C/i" &
inside=$!
watch_guard --cgroup "$C/i" --cgroup "$C/j" --when 'memory>=80%'
echo 18M >"$C/i/memory.max"
echo 128M >"$C/j/memory.max"
sleep 7
fill j j 0 28
end_guard
kill $inside
rm /dev/shm/i /dev/shm/j

part guard-nested # the pod is nearly full with what others have
mkdir "$C/k"
echo +memory >"$C/k/cgroup.subtree_control"
echo 32M >"$C/k/memory.max"
make k/one 100M
make k/other 100M
fill k/other k1 0 16
watch_guard --cgroup "$C/k/one" --when 'memory>=80%'
fill k/one k2 0 12
end_guard
grep '^oom_kill ' "$C/k/memory.events"
rm /dev/shm/k1 /dev/shm/k2

part guard-gone
make l 24M
make m 24M
watch_guard --cgroup "$C/l" --cgroup "$C/m" --when 'memory>=50%'
rmdir "$C/l"
sleep 7
fill m m 0 16
end_guard
rm /dev/shm/m

# --- a guard of all, and one in a container

part guard-all # one that gets its limit later; every twelfth look asks all
make n max
sh -c 'echo $$ >"$0/cgroup.procs"; exec sleep 100' "$C/n" &
inside=$!
/salvage guard --all --rescan 200ms --do stats --to file:///store --log json 2>&1 &
guard=$!
sleep 5
echo 77M >"$C/n/memory.max"
sleep 10
end_guard
kill $inside

part guard-stalls # far from the limit, but in reclaim all the time; a window that is short is the kernel's to watch
make m 100M
echo 2M >"$C/m/memory.high"
watch_guard --cgroup "$C/m" --when 'psi.some>=0.2%/500ms'
fill m m 0 4
end_guard
rm /dev/shm/m

# A guard in a container: in a cgroup namespace of its own, from whose root the others lie at "/../..".
P=kubepods-burstable-pod11111111_2222_3333_4444_555555555555.slice
A=$P/cri-containerd-$(printf '%064d' 7).scope
mkdir -p "$C/$A" "$C/guard.scope"
echo +memory >"$C/$P/cgroup.subtree_control"
echo 24M >"$C/$A/memory.max"
contained() { # OPTION...: a guard there
    sh -c 'echo $$ >"$0/cgroup.procs"; exec "$@"' "$C/guard.scope" /unshare_cgroup "$@"
}

part guard-private
contained /salvage guard --all --rescan 1s --when 'memory>=50%' --do stats --to file:///store --log json 2>&1 &
sleep 4
export POD_NAMESPACE=shop POD_NAME=cart-1
fill "$A" p 0 18
unset POD_NAMESPACE POD_NAME
sleep 3
kill "$(cat "$C/guard.scope/cgroup.procs" | head -1)"
wait

part guard-private-pid
sh -c 'echo $$ >"$0/cgroup.procs"; exec sleep 100' "$C/$A" &
inside=$!
sleep 1
contained timeout 5 /salvage guard --pid $inside --do stats --to file:///store --log json 2>&1

part guard-private-blind # it sees its own cgroup alone, and may not enter another namespace
contained -o /salvage guard --all --do stats --to file:///store --log json 2>&1
echo "exit: $?"
kill $inside
rm /dev/shm/p
