#!/usr/bin/env bash
# ne: brings what is missing on a fresh machine (libmujoco 2.2.2, OpenGL for pictures, npm for a page's charts, the Release build), then runs the executable.
#
#   ./ne train          start a run          ./ne test     build and test everything
#   ./ne bench          measure everything   ./ne pack     packages for other programs
#   ./ne --help         all verbs
#
# MUJOCO_PATH      a folder (or file) with libmujoco: 2.2.2 from elsewhere than Debian's packages, or one of MuJoCo 3
# NE_ACCELERATOR   cpu (default) or cuda: which libtorch is built in
set -euo pipefail

home="$(cd "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")" && pwd)"
cache="${HOME:?}/.cache/ne-actors"
work="$home/.ne"
accelerator="${NE_ACCELERATOR:-cpu}"
output="bin/Release/net10.0/linux-x64"
mujoco="$cache/mujoco-2.2.2"
mujoco_packages=(libmujoco2.2.2 libccd2 liblodepng0 libqhull-r8.0 libtinyxml2-9)
opengl_packages=(libegl1 libegl-mesa0 libgl1-mesa-dri)
export DOTNET_NOLOGO=1 DOTNET_CLI_TELEMETRY_OPTOUT=1

say() { printf 'ne: %s\n' "$*" >&2; }
die() { say "$@"; exit 2; }

# Runs a command with its output in a log that is shown only when the command fails.
quietly() {
    local log="$work/$1.log"
    shift
    if ! "$@" >"$log" 2>&1; then
        tail -n 40 "$log" >&2
        say "'$*' failed; the whole output is in $log"
        return 1
    fi
}

# ---- libmujoco ---------------------------------------------------------------------------------------------------------------------

mujoco_is_there() {
    [[ -n "${MUJOCO_PATH:-}" ]] && return 0 # the executable says what is wrong with it, if anything is
    local folder
    # The executable looks into this cache folder too.
    for folder in /usr/lib/x86_64-linux-gnu "$mujoco/usr/lib/x86_64-linux-gnu" /usr/local/lib /usr/lib; do
        [[ -e "$folder/libmujoco.so.2.2.2" ]] && return 0
    done
    PATH="$PATH:/sbin:/usr/sbin" ldconfig -p 2>/dev/null | grep -q 'libmujoco\.so\.2\.2\.2'
}

package_lists_are_there() { compgen -G '/var/lib/apt/lists/*_Packages*' >/dev/null; }

install_as_root() {
    package_lists_are_there || apt-get update || return 1
    apt-get install -y --no-install-recommends "$@" || { apt-get update && apt-get install -y --no-install-recommends "$@"; }
}

# Unpacks the five packages into the cache folder; needs no rights. The folder appears under its name only when it is complete.
mujoco_unpacked() {
    local partial="$mujoco.partial" options=()
    rm -rf "$partial" && mkdir -p "$partial/lists/partial" && cd "$partial" || return 1
    if ! package_lists_are_there; then
        options=(-o "Dir::State::Lists=$partial/lists" -o "Dir::Cache=$partial" -o Debug::NoLocking=1)
        apt-get "${options[@]}" update || return 1
    fi
    apt-get "${options[@]}" download "${mujoco_packages[@]}" || return 1
    local package
    for package in ./*.deb; do
        dpkg-deb -x "$package" . || return 1
    done
    rm -rf lists ./*.deb ./*.bin && mv -T "$partial" "$mujoco"
}

bring_mujoco() {
    mujoco_is_there && return
    mkdir -p "$cache" "$work"
    exec 8>"$cache/lock" && flock 8
    if ! mujoco_is_there && command -v apt-get >/dev/null; then
        if [[ $(id -u) -eq 0 ]]; then
            say "installing libmujoco 2.2.2 from the distribution's packages ..."
            DEBIAN_FRONTEND=noninteractive quietly mujoco install_as_root libmujoco2.2.2 || true
        else
            say "unpacking libmujoco 2.2.2 from the distribution's packages into $mujoco ..."
            (quietly mujoco mujoco_unpacked) || true
        fi
    fi
    exec 8>&-
    mujoco_is_there || die "libmujoco 2.2.2 was not found and could not be brought. Install it (Debian 12: apt-get install libmujoco2.2.2)" \
        "or set MUJOCO_PATH to the folder that holds a libmujoco (docs/environments.md says which versions)."
}

needs_mujoco() {
    local word
    case "${1:-}" in
        train | import | resume | sweep | node | eval | record | probe | env | torture | test | bench) ;;
        *) return 1 ;;
    esac
    for word in "$@"; do
        case "$word" in --help | -h | '-?' | --dry-run) return 1 ;; esac
    done
}

# ---- OpenGL ------------------------------------------------------------------------------------------------------------------------

# OSMesa, or libEGL with a driver: NVIDIA's, or Mesa's with its software renderer.
opengl_is_there() {
    local libraries folder
    libraries="$(PATH="$PATH:/sbin:/usr/sbin" ldconfig -p 2>/dev/null)" || true
    [[ "$libraries" == *libOSMesa.so.8* ]] && return
    [[ "$libraries" == *libEGL.so.1* ]] || return 1
    [[ "$libraries" == *libEGL_nvidia.so.0* ]] && return
    [[ "$libraries" == *libEGL_mesa.so.0* ]] || return 1
    for folder in /usr/lib/x86_64-linux-gnu /usr/lib64 /usr/lib; do
        [[ -e "$folder/dri/swrast_dri.so" ]] && return
    done
    return 1
}

# Mesa depends on too many packages to be unpacked without rights. Nothing ends here: the executable says what it could not do.
bring_opengl() {
    opengl_is_there && return
    mkdir -p "$cache" "$work"
    exec 8>"$cache/lock" && flock 8
    if ! opengl_is_there && command -v apt-get >/dev/null && [[ $(id -u) -eq 0 ]]; then
        say "installing OpenGL (Mesa) from the distribution's packages ..."
        DEBIAN_FRONTEND=noninteractive quietly opengl install_as_root "$@" || true
    fi
    exec 8>&-
    opengl_is_there || say "pictures need OpenGL without a screen, which was not found. Install it: apt-get install $*"
}

# Pictures are drawn for agents that learn from them, pixel tasks and videos, and by the tests. What a file, a preset or a stored run asks for is looked up.
needs_opengl() {
    local word file
    needs_mujoco "$@" || return 1
    for word in "$@"; do
        case "$word" in
            record | torture | test | *drq* | --pixels | --pixels=* | --image | --image=* | --video | --video=* | --video-every* | video.every=*) return ;;
        esac
        for file in "$word" "$home/presets/$word.yaml" "${NE_RUNS:-runs}/$word/config.yaml"; do
            [[ ! -f "$file" ]] || ! grep -qs 'learner:.*drq' "$file" || return 0
        done
    done
    return 1
}

# ---- charts ------------------------------------------------------------------------------------------------------------------------

# The build takes the charts of `ne serve` from npm, and does without where there is none.
charts_are_there() { [[ -e "$home/NE.Shell/obj/page/node_modules/uplot/dist/uPlot.esm.js" ]]; }

wants_charts=false

# They are tried once for the same sources, since there may be no registry that has them. The note says of a try in vain whether npm was there; one that
# has come since is a reason for another.
charts_are_due() {
    local note="$work/without-charts"
    [[ $wants_charts == true ]] && ! charts_are_there && { [[ ! -e "$note" ]] || { [[ ! -s "$note" ]] && command -v npm >/dev/null; }; }
}

bring_npm() {
    command -v npm >/dev/null && return
    mkdir -p "$cache"
    exec 8>"$cache/lock" && flock 8
    if ! command -v npm >/dev/null && command -v apt-get >/dev/null && [[ $(id -u) -eq 0 ]]; then
        say "installing npm from the distribution's packages, for the page's charts ..."
        DEBIAN_FRONTEND=noninteractive quietly npm install_as_root npm || true
    fi
    exec 8>&-
    command -v npm >/dev/null || : >"$work/without-charts"
}

needs_charts() {
    local word
    needs_mujoco "$@" || [[ "${1:-}" == serve ]] || return 1
    for word in "$@"; do
        case "$word" in serve | --serve) return ;; esac
    done
    return 1
}

# ---- build -------------------------------------------------------------------------------------------------------------------------

bring_dotnet() {
    local folder
    for folder in "" "${DOTNET_ROOT:-}" "${HOME:-}/.dotnet" /usr/share/dotnet /usr/lib/dotnet; do
        [[ -n "$folder" && -x "$folder/dotnet" ]] && PATH="$PATH:$folder"
    done
    command -v dotnet >/dev/null || die "the .NET 10 SDK was not found. Install it (https://dot.net) so that 'dotnet' is on the PATH."
}

# True when no source in these folders, and no build setting, is newer than a stamp. Folders count too: a deleted file changes its folder.
is_newest() {
    local stamp="$1" newer
    shift
    newer="$(find "$@" "$home"/Directory.* "$home/global.json" \( -name bin -o -name obj \) -prune -o -newer "$stamp" -print -quit)"
    [[ -z "$newer" ]]
}

is_built() {
    local stamp="$work/built-$accelerator"
    [[ -e "$stamp" && -e "$work/app/ne.dll" ]] || return 1
    [[ "$(<"$work/accelerator")" == "$accelerator" ]] || return 1
    is_newest "$stamp" "$home"/{NE.Shell,NE.Actors,NE.Model.fs,presets,seq}
}

# What is run is a folder of its own, whose assemblies are compiled ahead of time. Its files are replaced and never written over: a program that runs
# keeps those that it has mapped. Native libraries are linked, since libtorch is 480 MB.
publish() {
    dotnet publish "$home/NE.Shell/NE.Shell.csproj" -c Release -v q "-p:Accelerator=$accelerator" -p:CreateHardLinksForPublishFilesIfPossible=true \
        -o "$work/published" "$@" || return
    mkdir -p "$work/app" || return
    # Joined, because whoever asks for the result of a function switches `set -e` off in it.
    (
        cd "$work/published" &&
            find . -type f ! -name '*.so*' -print0 | xargs -0 cp -a --parents --remove-destination -t "$work/app" &&
            find . -type f -name '*.so*' -print0 | xargs -0 -r cp -al --parents --remove-destination -t "$work/app"
    )
}

# Two first starts at once build once. The lock is let go of by: exec 9>&-
lock_builds() {
    mkdir -p "$work"
    exec 9>"$work/lock" && flock 9
}

# Until its end there is no stamp, so that what is half there is built again.
begin_build() {
    # These folders' own times must not change after the stamp's.
    mkdir -p "$home"/{NE.Shell,NE.Actors,NE.Model.fs}/{bin,obj}
    touch "$work/started" # what changes while the build runs is newer than the stamp
    rm -f "$work/built-$accelerator"
}

end_build() {
    charts_are_there || ! command -v npm >/dev/null || echo npm >"$work/without-charts"
    printf '%s' "$accelerator" >"$work/accelerator"
    mv "$work/started" "$work/built-$accelerator"
}

build() {
    is_built && ! charts_are_due && return
    lock_builds
    is_built || rm -f "$work/without-charts"
    ! charts_are_due || bring_npm
    if ! is_built || charts_are_due; then
        say "building (Release, $accelerator); the first time brings the packages and takes a few minutes ..."
        begin_build
        # No build server stays behind, and nothing waits for one.
        quietly build publish --disable-build-servers || exit 2
        end_build
    fi
    exec 9>&-
}

# ---- test --------------------------------------------------------------------------------------------------------------------------

# Suites that run at once. What they wait for (disks, servers, processes that are killed) leaves half of the cores idle when they run in turn.
suites_at_once() {
    local cores
    cores="$(nproc)"
    echo $((cores < 2 ? 1 : 2))
}

# A suite, whose summary, failures and times go to files. What it prints beside them, and the logs of its actors, go to another.
run_suite() {
    local name="$1" began=$SECONDS code=0
    shift
    rm -f "$work/$name".{summary,failures,code}
    # Processes that end after seconds pay for code that is compiled twice, profiled first, and put on pages that are never writable and executable at once.
    DOTNET_TC_QuickJitForLoops=0 DOTNET_TieredPGO=0 DOTNET_EnableWriteXorExecute=0 NE_TEST_EXECUTABLE="$work/app/ne.dll" \
        NE_TEST_SUMMARY="$work/$name.summary" NE_TEST_FAILURES="$work/$name.failures" NE_TEST_TIMES="$work/times-$name.txt" \
        dotnet "$home/tests/$name/$output/$name.dll" "$@" >"$work/test-$name.log" 2>&1 || code=$?
    printf '%d' "$code" >"$work/$name.code"
    [[ -s "$work/$name.summary" ]] || return 0
    local report
    report="$(printf '%-22s %s, %d s' "$name" "$(<"$work/$name.summary")" "$((SECONDS - began))")"
    [[ ! -s "$work/$name.failures" ]] || report+="
$(<"$work/$name.failures")
  everything that $name printed: $work/test-$name.log"
    # In one piece: another suite may end at the same time, and a shell writes line by line.
    { flock 7 && printf '%s\n' "$report"; } 7>"$work/report.lock"
}

run_tests() {
    local unit=false arguments=() word
    for word in "$@"; do
        if [[ "$word" == --unit ]]; then unit=true; else arguments+=("$word"); fi
    done

    lock_builds
    say "building everything (Release, $accelerator) ..."
    rm -f "$work/without-charts"
    begin_build
    if ! quietly build-tests dotnet build "$home/NE.Actors.sln" -c Release -v q "-p:Accelerator=$accelerator" --disable-build-servers ||
        ! quietly publish-tests publish --no-build; then
        printf '0 passed, 1 failed\n'
        exit 2
    fi
    end_build
    exec 9>&-

    # The longest suite first: the others fit beside it.
    local suites=(NE.EndToEnd) name project most
    for project in "$home"/tests/*/*.fsproj; do
        name="$(basename "$project" .fsproj)"
        [[ "$name" == NE.EndToEnd ]] || suites+=("$name")
    done
    [[ "$unit" == false ]] || suites=("${suites[@]:1}")

    most="$(suites_at_once)"
    for name in "${suites[@]}"; do
        [[ $(jobs -rp | wc -l) -lt $most ]] || wait -n
        run_suite "$name" "${arguments[@]}" &
    done
    wait

    local passed=0 failed=0 broken=() line code counts
    for name in "${suites[@]}"; do
        line="" code="unknown"
        [[ ! -e "$work/$name.summary" ]] || line="$(<"$work/$name.summary")"
        [[ ! -e "$work/$name.code" ]] || code="$(<"$work/$name.code")"
        if [[ ! "$line" =~ ^([0-9]+)\ passed,\ ([0-9]+)\ failed ]]; then
            tail -n 40 "$work/test-$name.log" >&2
            broken+=("$name (exit code $code, no summary; its output is in $work/test-$name.log)")
            continue
        fi
        counts=$((BASH_REMATCH[1] + BASH_REMATCH[2]))
        passed=$((passed + BASH_REMATCH[1]))
        failed=$((failed + BASH_REMATCH[2]))
        # A filter may leave a runner without tests; a bare run may not, and no runner may fail without a failed test.
        if [[ $code != 0 && ${BASH_REMATCH[2]} -eq 0 && ($counts -gt 0 || ${#arguments[@]} -eq 0) ]]; then
            broken+=("$name (exit code $code)")
        fi
    done

    for name in "${broken[@]}"; do
        say "$name: the test runner itself failed"
    done
    [[ $((passed + failed)) -gt 0 ]] || say "no test ran"
    printf '%d passed, %d failed\n' "$passed" "$((failed + ${#broken[@]}))"
    [[ $((failed + ${#broken[@]})) -eq 0 && $passed -gt 0 ]]
}

# ---- pack --------------------------------------------------------------------------------------------------------------------------

# Packages of what was built. A relative folder after -o is meant from here.
pack() {
    local project
    build
    for project in NE.Model.fs NE.Actors NE.Shell; do
        quietly pack dotnet pack "$home/$project" -c Release --no-build -v q "-p:Accelerator=$accelerator" "$@" || exit 2
    done
    [[ $# -gt 0 ]] || say "the packages are in $home/artifacts/packages"
}

# ---- bench -------------------------------------------------------------------------------------------------------------------------

benchmarks=(learner pixels run environments task inference memory page fleet)

run_benchmark() { dotnet "$home/benchmarks/NE.Benchmarks/$output/NE.Benchmarks.dll" "$@"; }

benchmarks_are_built() {
    local stamp="$work/built-benchmarks"
    [[ -e "$stamp" && "$(<"$stamp")" == "$accelerator" && -e "$home/benchmarks/NE.Benchmarks/$output/NE.Benchmarks.dll" ]] || return 1
    is_newest "$stamp" "$home"/{benchmarks,NE.Shell,NE.Actors,NE.Model.fs}
}

build_benchmarks() {
    benchmarks_are_built && return
    mkdir -p "$work" "$home"/{benchmarks/NE.Benchmarks,NE.Shell,NE.Actors,NE.Model.fs}/{bin,obj}
    exec 9>"$work/lock" && flock 9
    say "building the benchmarks (Release, $accelerator) ..."
    local started="$work/started-benchmarks"
    printf '%s' "$accelerator" >"$started"
    rm -f "$work/built-benchmarks"
    quietly build-benchmarks dotnet build "$home/benchmarks/NE.Benchmarks/NE.Benchmarks.fsproj" -c Release -v q \
        "-p:Accelerator=$accelerator" --disable-build-servers || exit 2
    mv "$started" "$work/built-benchmarks"
    exec 9>&-
}

# PyTorch is not brought: the benchmarks do without it and say how to install it.
run_benchmarks() {
    local chosen="${1:-all}"
    if [[ "$chosen" == all && $# -gt 1 ]]; then
        say "'bench all' takes no options; give them to one benchmark: ${benchmarks[*]}"
        exit 1
    fi
    build_benchmarks
    if [[ "$chosen" != all ]]; then
        run_benchmark "$@"
        return
    fi
    local name failed=()
    cd "$home"
    for name in "${benchmarks[@]}"; do
        say "$name"
        run_benchmark "$name" --json "results/benchmarks/$name.json" || failed+=("$name")
    done
    [[ ${#failed[@]} -eq 0 ]] || {
        say "failed: ${failed[*]}"
        return 2
    }
}

# ---- main --------------------------------------------------------------------------------------------------------------------------

# A shell asks for what can follow while somebody types: nothing is brought or built for it.
[[ "${1:-}" != complete || -e "$work/app/ne.dll" ]] || exit 0
bring_dotnet
! needs_mujoco "$@" || bring_mujoco
# The tests draw with OSMesa too.
[[ "${1:-}" != test ]] || opengl_packages+=(libosmesa6)
! needs_opengl "$@" || bring_opengl "${opengl_packages[@]}"

! needs_charts "$@" || wants_charts=true

if [[ "${1:-}" == test && ! " $* " =~ " --help " ]]; then
    run_tests "${@:2}"
elif [[ "${1:-}" == pack && ! " $* " =~ " --help " ]]; then
    pack "${@:2}"
elif [[ "${1:-}" == bench && ! " $* " =~ " --help " ]]; then
    run_benchmarks "${@:2}"
else
    [[ "${1:-}" == complete ]] || build
    exec dotnet "$work/app/ne.dll" "$@"
fi
