using NE.Shell.Sweeps.Planning;

namespace NE.Shell.Commands;

/// <summary>What closes the help of a verb: examples, exit codes.</summary>
internal static class HelpTexts
{
    public static IReadOnlyDictionary<string, string> Closing { get; } = new Dictionary<string, string>
    {
        [""] = """
            Examples:
              ne train                                      HalfCheetah-v4 with Neuroplastic Expansion, 1,000,000 steps
              ne train Hopper-v4 --seed 3 --steps 300000    another task, seed and length
              ne train ne.startDensity=0.1 --dry-run        what a configuration means and takes
              ne resume HalfCheetah-v4-ne-s0                go on after Ctrl-C, a crash or a kill
              ne sweep paper/figure-6 --smoke               a small comparison of methods
              ne status                                     all runs
              ne serve                                      a page of all runs, with curves that grow

            Exit codes:
              0 done    1 wrong input, nothing created    2 the run or the check failed    3 interrupted, resumable
            """,
        ["train"] = """
            The configuration is built in layers, later ones win: defaults, --variant, --config, options, key=value.
            Ctrl-C (or SIGTERM) writes a last checkpoint and ends with exit code 3; a second Ctrl-C ends at once.

            Examples:
              ne train
              ne train Walker2d-v4 --method td3 --seed 1 --name walker-dense
              ne train Hopper-v4 --learner sac --method redo+layer-norm
              ne train --config td3-anchor --steps 300000
              ne train Hopper-v4 --variant official ne.review=off
              ne train --config my.yaml ne.omega=0.2 network.hidden=256,256
              ne train Ant-v4 --schedule async --envs 4 --seq http://127.0.0.1:5341
              ne train Hopper-v4 --video-every 50000 --serve
              ne train cycle:HalfCheetah-v4,Humanoid-v4,Ant-v4,Hopper-v4 --cycles 3
              ne train examples/reaching-arm/reaching-arm.yaml
              ne train Hopper-v4 --method td3 --actor hopper.safetensors
              ne train Hopper-v4 --journal postgres://db.example/ne
              ne train "external:python3 clients/python/ne_environment.py gym:Pendulum-v1"
            """,
        ["resume"] = """
            Changed keys are shown, recorded in the run's history, and hold from now on. Derived values stay as they were. With another version
            of MuJoCo than before a run does not go on, unless --other-mujoco is given.

            Examples:
              ne resume HalfCheetah-v4-ne-s0
              ne resume HalfCheetah-v4-ne-s0 --steps 2000000 checkpoint.every=50000
            """,
        ["sweep"] = $"""
            Each cell is a run of its own process, named NAME-ENV-LABEL-sSEED. The same command again goes on: complete cells are skipped,
            interrupted ones resumed, added ones started. Ctrl-C (or SIGTERM) lets every run commit. How to write one: docs/sweeps.md.

            Presets; --smoke shortens one, or a file, for two cores:
            {SweepPresets.List()}

            Exit codes:
              0 every cell is complete    1 wrong input, nothing created    2 some cells failed    3 interrupted, go on with the same command

            Examples:
              ne sweep my-sweep.yaml --dry-run
              ne sweep my-sweep.yaml --parallel 4
              ne sweep --resume my-sweep --retry-failed
              ne sweep paper/figure-6 --smoke
              ne sweep my-sweep.yaml --fleet 10.0.0.5
            """,
        ["status"] = """
            Damaged runs are named, with exit code 2, and the others are still shown.

            Examples:
              ne status
              ne status HalfCheetah-v4-ne-s0 --json
            """,
        ["serve"] = """
            The page shows what runs, the time that is left and what failed; curves of return and activated ratios that grow; the topology event by
            event; two runs in the same axes; videos, log and configuration. Nothing is loaded from elsewhere. It only shows, unless --control is
            given, and only to this machine, unless --host is given: with either, the printed address has a token in it (NE_SERVE_TOKEN, or drawn
            anew). Ctrl-C ends the page, and no run.

            Examples:
              ne serve
              ne serve my-sweep --port 8080
              ne serve --host 0.0.0.0 --control
              ne train Hopper-v4 --serve
            """,
        ["journal copy"] = """
            Every record is copied with its number and time, and read back; the run switches when all of it is there. What was there before is
            kept. The login is that of the address, of NE_JOURNAL, or of PGUSER, PGPASSWORD and ~/.pgpass. See docs/operations.md.

            Examples:
              ne journal copy HalfCheetah-v4-ne-s0 --to postgres://db.example/ne
              ne journal copy HalfCheetah-v4-ne-s0 --to sqlite
            """,
        ["seq"] = """
            Examples:
              ne seq setup http://127.0.0.1:5341
            """,
        ["seq setup"] = """
            An API key, where the server asks for one, is read from NE_SEQ_API_KEY or SEQ_API_KEY and needs the permissions Read and Write. Only
            what has one of our titles, which begin with "NE: ", is changed. What to ask Seq: docs/seq.md.

            Examples:
              ne seq setup --dry-run
              ne seq setup http://127.0.0.1:5341
              NE_SEQ_API_KEY=... ne seq setup https://seq.example
            """,
        ["node"] = """
            A fleet's nodes work on cells of sweeps (ne sweep --fleet) and hold environments of runs (ne train --fleet); what ends has the bits of one
            machine, whichever nodes come, go or die meanwhile. All have the same fleet key and the same build of ne, and those that work on cells
            the same folder of runs (--runs). Ctrl-C (or SIGTERM) lets a node leave: its cells commit and go on elsewhere. See docs/fleet.md.

            Examples:
              ne node                                                    begins a fleet that only this machine can reach
              ne node --port 0 --seed-node 127.0.0.1:7310                another node of it, on this machine
              ne node --host 10.0.0.5 --fleet-key fleet.pem              begins one that other machines can join
              ne node --seed-node 10.0.0.5:7310 --fleet-key fleet.pem    joins it
              ne train Humanoid-v4 --envs 16 --fleet 10.0.0.5:7310 --fleet-key fleet.pem
            """,
        ["fleet"] = """
            Exit code 2 when a process of the fleet does not answer.

            Examples:
              ne fleet
              ne fleet 10.0.0.5:7310 --fleet-key fleet.pem --json
              ne fleet key fleet.pem
            """,
        ["fleet key"] = """
            Whoever has the file controls the fleet, so only its owner may read it. A key that is there is never replaced.

            Examples:
              ne fleet key fleet.pem
            """,
        ["eval"] = """
            A policy of a cycle plays the task that it was learned on.

            Examples:
              ne eval HalfCheetah-v4-ne-s0
              ne eval HalfCheetah-v4-ne-s0 --episodes 100 --checkpoint last --json
            """,
        ["record"] = """
            The episodes are those of `ne eval` with the same policy. Every frame says step, reward and return. Playback is in real time,
            at most 60 frames per second. Without ffmpeg the video is an animated PNG, which browsers play.

            Examples:
              ne record HalfCheetah-v4-ne-s0
              ne record HalfCheetah-v4-ne-s0 --checkpoint last --episodes 3 --size 640x480 -o cheetah.mp4
            """,
        ["export"] = """
            An ONNX file takes observations and gives actions within the environment's bounds. safetensors and torch have the tensors, with PyTorch's
            names and shapes, and the metadata say what to do with them. Exploration is no part of a policy; of SAC's distribution the mean acts.
            A policy of a cycle acts on the task that it was learned on, unless --task names another. Formats and samples: docs/policies.md.

            Examples:
              ne export HalfCheetah-v4-ne-s0
              ne export HalfCheetah-v4-ne-s0 --to safetensors --checkpoint last -o cheetah.safetensors
              ne export HalfCheetah-v4-ne-s0 --to torch --overwrite
              ne export cycle-run --checkpoint last --task Hopper-v4
            """,
        ["import"] = """
            The file's networks must have the run's names and shapes. Targets begin equal, the optimiser and the critics fresh. An actor that begins
            sparse is refused: ne.networks=critic, ne.startDensity=1 or a method without a topology begin dense. A copy stays in the run's directory.

            Examples:
              ne import hopper.safetensors Hopper-v4 --method none --steps 300000
              ne import hopper.safetensors Hopper-v4 ne.networks=critic --name fine-tuned
            """,
        ["probe"] = """
            Copies of the actor and of the critics learn a target that they have never seen: their present output and a random function of the observation,
            as large as the output varies. Ratio 1: as much as fresh networks of the same form learn in as many steps; 0: nothing. Changes nothing.
            The same over a run: log.probeEvery.

            Examples:
              ne probe HalfCheetah-v4-ne-s0
              ne probe HalfCheetah-v4-ne-s0 --checkpoint previous
              ne probe HalfCheetah-v4-ne-s0 --json
            """,
        ["digest"] = """
            Two runs with the same digest have bit-identical states: parameters, moments, masks, replay, random streams, environments.

            Examples:
              ne digest HalfCheetah-v4-ne-s0
              ne digest HalfCheetah-v4-ne-s0 --json
              ne digest HalfCheetah-v4-ne-s0 --checkpoint previous
              ne digest killed --compare whole
            """,
        ["verify"] = """
            Exit code 2 when anything is damaged. Changes nothing; runs may be at work. docs/durability.md says what is under which checksum.

            Examples:
              ne verify
              ne verify HalfCheetah-v4-ne-s0 --deep
              ne verify figure-6 --json
            """,
        ["repair"] = """
            Never touches what is whole. Keeps a table that it cuts, and the last config.yaml and snapshots.db, as
            NAME.damaged; replaces what can be made anew.

            Examples:
              ne repair HalfCheetah-v4-ne-s0
            """,
        ["torture"] = """
            Every attack follows from the seed and its number, so it can be repeated; only the moments of signals depend on the machine. Exit
            code 2 when one got through: the run lost something, went on differently without a word, or ended without a word that helps.

            Runs that need what is not here (a renderer, python3, a server for journals, a plug-in) are left out, which the first lines say.

            Examples:
              ne torture
              ne torture --seed 7 --minutes 480
              ne torture --attacks 200 --only storage,damage
              ne torture --seed 7 --attack 33 --keep torture
              ne torture --scenario async --scenario pictures --attacks 40
              NE_JOURNAL=postgres://USER:PASSWORD@HOST/ne ne torture --scenario PostgreSQL
            """,
        ["topology"] = """
            Examples:
              ne topology HalfCheetah-v4-ne-s0
              ne topology HalfCheetah-v4-ne-s0 --at 100000 --json
            """,
        ["report"] = """
            Runs of the same method and keys are one arm; a sweep's labels are its arms. Runs that are going on are shown as far as they are.
            Arms of fewer than 8 complete seeds are shown as points, without intervals. docs/reports.md explains every figure.
            A reference has the columns algorithm, environment, seed, step, return. A report's own curves.csv is such a file.

            Examples:
              ne report HalfCheetah-v4-ne-s0
              ne report one another
              ne report figure-6 -o figure-6
              ne report a-s0 a-s1 b-s0 b-s1 -o comparison --at 100000
              ne report healthy dormant -o gradients --heatmap healthy --heatmap dormant
              ne report figure-6 --reference published.csv --reference other/report/curves.csv
            """,
        ["archive"] = """
            The file is a gzipped tar with an index of checksums in front. It has everything that a resume or a report reads: the last two
            checkpoints with their replay memory, journal, tables, logs. Restored elsewhere, the run goes on to the same digest. Environments of your
            own are not in it. A run at work is refused: stop it first. A damaged one is refused too. Nothing of the run is changed.

            Examples:
              ne archive HalfCheetah-v4-ne-s0
              ne archive HalfCheetah-v4-ne-s0 -o /backup/cheetah.tar.gz --videos
              ne archive figure-6 --without-replay
            """,
        ["restore"] = """
            Every byte is verified before the run appears. A name that is taken is refused; a damaged archive leaves nothing.

            Examples:
              ne restore HalfCheetah-v4-ne-s0.tar.gz
              ne restore /backup/cheetah.tar.gz --name cheetah-again --runs elsewhere
            """,
        ["prune"] = """
            Always: files that no checkpoint names, such as a kill leaves. A run at work is left alone, and so is the last checkpoint, with its replay
            memory, of a run that is not complete. Without its replay memory a complete run can still be evaluated, recorded and reported.

            Examples:
              ne prune
              ne prune --replay --older-than 30
              ne prune --replay --videos --state completed --yes
              ne prune figure-6 --replay --yes
            """,
        ["env"] = """
            Examples:
              ne env list
              ne env show Hopper-v4
              ne env run Hopper-v4 --video hopper.mp4
              ne env replay tests/data/reference/gym_HalfCheetah.json.gz
            """,
        ["env list"] = """
            Examples:
              ne env list
              ne env list --pixels
            """,
        ["env show"] = """
            Examples:
              ne env show Hopper-v4
              ne env show Hopper-v4 --pixels --json
              ne env show cycle:HalfCheetah-v4,Hopper-v4
              ne env show dmc/walker-walk --image walker.png --size 320x240
            """,
        ["env run"] = """
            Actions are uniformly random, those of the first steps of a training run with the same seed.

            Examples:
              ne env run Hopper-v4
              ne env run Hopper-v4 --steps 10000 --seed 3 --json
              ne env run Hopper-v4 --pixels --video hopper.mp4 --size 640x480
            """,
        ["env replay"] = """
            Exit code 2 when a difference is beyond the file's tolerances.

            Examples:
              ne env replay tests/data/reference/gym_HalfCheetah.json.gz
              ne env replay tests/data/reference/gym_Ant.json.gz --json
            """,
        ["doctor"] = """
            Exit code 0 when everything that a run needs is there, 2 otherwise.

            Examples:
              ne doctor
              ne doctor --seq http://127.0.0.1:5341 --json
            """,
        ["config"] = """
            Examples:
              ne config show ne.omega=0.2
              ne config schema
            """,
        ["config show"] = """
            Presets: td3-anchor (TD3's own networks and constants, serial, to compare with published curves),
            official256 (256,256 in every network, the base of network.scale), officialCode (the networks of the official
            code: three critic layers, with LayerNorm before the last ReLU).
            A file of that name wins over a preset.

            Examples:
              ne config show
              ne config show --config td3-anchor --steps 300000
              ne config show --variant official
              ne config show ne.startDensity=0.1 --yaml > my.yaml
            """,
        ["config schema"] = """
            Provenance: P paper, P? paper names it without a number, OC official code, CW a cited work, US our choice.

            Examples:
              ne config schema
              ne config schema --json
            """,
        ["completion"] = """
            Examples:
              source <(ne completion bash)                         in ~/.bashrc, with `ne` on the PATH or as an alias of the launcher
              ne completion zsh > ~/.zfunc/_ne
              ne completion fish > ~/.config/fish/completions/ne.fish
            """,
        ["test"] = """
            Examples:
              ./ne test
              ./ne test --unit
              ./ne test --filter-test-list parser
            """,
        ["pack"] = """
            The packages go to artifacts/packages; -o names another folder. A program uses NE.Actors from there, and
            `dotnet tool install ne --source artifacts/packages --tool-path DIR` installs this program (docs/library.md).

            Examples:
              ./ne pack
              ./ne pack -o /tmp/feed -p:PackageVersion=0.1.0-mine
            """,
        ["bench"] = """
            Benchmarks; each prints what it measures. `all` writes every report to results/benchmarks/.
              learner        gradient steps per second: TD3 or SAC, Neuroplastic Expansion, TorchSharp, PyTorch
              pixels         updates from pictures beside PyTorch, and rendering; --parts encoder: convolutions alone
              run            a run: waiting, checkpoints, resume
              environments   control steps per second, beside plain C (needs gcc)
              task           a whole task, serial and pipelined, beside the same loop in PyTorch
              inference      one action for one observation
              memory         disk and main memory with a full replay memory
              page           the page of `ne serve` over a hundred long runs
              fleet          rounds of environments on nodes of a fleet, beside threads of one process
            Not part of `all`:
              sparse         a hidden layer through the existing weights alone, beside the dense product
              compare        whether a ratio of one report is worse in another; exit code 2 if one is

            The columns of PyTorch need Debian's: apt-get install python3-torch libopenblas0-pthread

            Examples:
              ./ne bench
              ./ne bench task Hopper-v4 --rounds 5 --json hopper.json
              ./ne bench inference --hidden 512,512
              ./ne bench compare results/benchmarks/learner.json NOW.json
            """,
    };
}
