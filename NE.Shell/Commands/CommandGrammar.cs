using System.CommandLine;
using System.CommandLine.Help;
using System.Globalization;
using NE.Actors.Environments;
using NE.Actors.Exports;
using NE.Actors.Fleet;
using NE.Actors.Journal;
using NE.Actors.RunDirectory;
using NE.Actors.Runs;
using NE.Actors.Video;
using NE.Shell.Configuration;
using NE.Shell.Fleet;
using Verb = System.CommandLine.Command;

namespace NE.Shell.Commands;

/// <summary>The verbs with their options and help, and how a parsed verb becomes a <see cref="Command"/>.</summary>
internal sealed class CommandGrammar
{
    /// <summary>[s] Long enough for another coordinator to take over meanwhile.</summary>
    private const int DefaultPatience = 45;
    private const int LeastPatience = 5;

    private static readonly string[] PrunableStates = ["completed", "failed", "interrupted", "killed"];

    private readonly Option<string?> runs = new("--runs") { HelpName = "DIR", Description = "Folder of the runs (default ./runs, or NE_RUNS).", Recursive = true };
    private readonly Option<bool> json = new("--json") { Description = "Print JSON for other programs." };
    private readonly Option<bool> yaml = new("--yaml") { Description = "Print a file that --config reads." };
    private readonly Option<string?> config = new("--config") { HelpName = "FILE|PRESET", Description = "A YAML file, or a preset (see `ne config show --help`)." };
    private readonly Option<string?> variant = new("--variant") { HelpName = "paper|official", Description = "NE as the paper says to the letter, or as the official code really does it; without it, the defaults." };
    private readonly Option<string?> name = new("--name") { HelpName = "NAME", Description = "Name of the run (default ENV-AGENT-sSEED)." };
    private readonly Option<string?> askedSeq = new("--seq") { HelpName = "URL", Description = "Ask whether this Seq server answers (or NE_SEQ_URL)." };
    private readonly Option<string?> seq = new("--seq") { HelpName = "URL", Description = "Send logs to this Seq server too (or NE_SEQ_URL)." };
    private readonly Option<string?> journal = new("--journal") { HelpName = "URL", Description = "A PostgreSQL server for the journal, postgres://HOST/DATABASE (or NE_JOURNAL, which keeps a login out of sight)." };
    private readonly Option<string?> to = new("--to") { HelpName = "sqlite|URL", Description = "The run's own folder, or a PostgreSQL server: postgres://HOST/DATABASE.", Required = true };
    private readonly Argument<string?> seqServer = new("URL") { Arity = ArgumentArity.ZeroOrOne, Description = "Address of the server (or NE_SEQ_URL)." };
    private readonly Option<bool> seqDryRun = new("--dry-run") { Description = "Print what would be made; ask no server." };
    private readonly Option<bool> plain = new("--plain") { Description = "One plain line every 10 s instead of the live view." };
    private readonly Option<bool> serve = new("--serve") { Description = "Serve a page of the runs on this machine meanwhile (see `ne serve`)." };
    private readonly Option<string?> port = new("--port") { HelpName = "P", Description = $"Port of the page (default {PagePort.Default.Number}, or another one when that is taken; 0: any)." };
    private readonly Option<string?> listen = new("--host") { HelpName = "ADDRESS", Description = "Listen on this address too, for those who have the token (default: this machine alone)." };
    private readonly Option<bool> control = new("--control") { Description = "Let the page stop and resume runs." };
    private readonly Argument<string[]> served = new("NAME") { Arity = ArgumentArity.ZeroOrMore, Description = "Runs and sweeps; without one, all of the folder." };
    private readonly Argument<string> shell = new("SHELL") { Description = string.Join(", ", Completion.Shells) + "." };
    private readonly Argument<string> line = new("LINE") { Description = "What is typed up to the cursor." };
    private readonly Option<bool> dryRun = new("--dry-run") { Description = "Print the configuration and what the run takes; create nothing." };
    private readonly Option<bool> overwrite = new("--overwrite") { Description = "Delete a run of the same name first." };
    private readonly Option<string[]> drill = new("--drill") { HelpName = "INDEX@STEP", Description = "Make an environment fail once at a step, to see that the run goes on (repeatable).", Hidden = true };
    private readonly Option<bool> stopAtEof = new("--stop-at-eof") { Description = "Commit and stop with exit code 3 when the standard input ends; for programs that start runs.", Hidden = true };
    private readonly Option<bool> lease = new("--lease") { Description = "Die when the standard input does not renew the right to go on; for nodes of a fleet.", Hidden = true };
    private readonly Option<string?> parallel = new("--parallel") { HelpName = "K", Description = "Runs at a time (default: as many as the cores carry)." };
    private readonly Option<string?> resumeSweep = new("--resume") { HelpName = "NAME", Description = "Go on with a stored sweep, without its file." };
    private readonly Option<bool> retryFailed = new("--retry-failed") { Description = "Try cells that failed once more." };
    private readonly Option<bool> smoke = new("--smoke") { Description = "Shorten it until two cores do it in minutes: it shows that everything runs, never evidence." };
    private readonly Option<bool> sweepDryRun = new("--dry-run") { Description = "Print the cells with steps, time and disk; create nothing." };
    private readonly Option<bool> sweepPlain = new("--plain") { Description = "Plain lines instead of the live view." };
    private readonly Option<string?> episodes = new("--episodes") { HelpName = "N", Description = "Episodes to play (default 10)." };
    private readonly Option<string?> checkpoint = new("--checkpoint") { HelpName = "best|last|previous|STEP", Description = "Which policy (default best)." };
    private readonly Option<string?> format = new("--to") { HelpName = "onnx|safetensors|torch", Description = "What kind of file: the whole computation, the numbers, or PyTorch's state_dict (default onnx)." };
    private readonly Option<string?> exported = new("--output", "-o") { HelpName = "FILE", Description = "Where it goes (default NAME.onnx, NAME.safetensors or NAME.pt in this folder)." };
    private readonly Option<string?> head = new("--task") { HelpName = "ID", Description = "Of a cycle: the task whose head acts (default the one that was learned at the policy's step)." };
    private readonly Option<string?> actor = new("--actor") { HelpName = "FILE", Description = "Begin with the actor of this safetensors file instead of a drawn one." };
    private readonly Argument<string> importedFile = new("FILE") { Description = "An actor, as `ne export --to safetensors` writes it." };
    private readonly Option<string?> digested = new("--checkpoint") { HelpName = "last|previous", Description = "Which commit (default last)." };
    private readonly Option<string?> compared = new("--compare") { HelpName = "NAME", Description = "Say whether that is the same run: state, history, tables. Exit code 2 when it is not." };
    private readonly Option<string?> probed = new("--checkpoint") { HelpName = "last|previous|STEP", Description = "Which commit (default last)." };
    private readonly Option<string?> from = new("--checkpoint") { HelpName = "last|previous", Description = "Where to go on from; previous when the last one is damaged (default last)." };
    private readonly Option<string?> filmed = new("--episodes") { HelpName = "N", Description = "Episodes to record (default 1)." };
    private readonly Option<string?> size = new("--size") { HelpName = "WxH", Description = "Pixels of the picture (default 480x480)." };
    private readonly Option<string?> output = new("--output", "-o") { HelpName = "FILE", Description = "The video, .mp4 (needs ffmpeg) or .png (animated); default runs/NAME/video/step-STEP." };
    private readonly Option<string?> video = new("--video") { HelpName = "FILE", Description = "Write a video, .mp4 (needs ffmpeg) or .png (animated)." };
    private readonly Option<string?> image = new("--image") { HelpName = "FILE", Description = "Draw a start state into a .png." };
    private readonly Option<bool> replace = new("--overwrite") { Description = "Replace the file that is named if there is one." };
    private readonly Option<bool> pixels = new("--pixels") { Description = "As pictures: 84x84, three frames, actions repeated twice." };
    private readonly Option<bool> trainPixels = new("--pixels") { Description = "Learn from pictures: --learner drq, unless one is given." };
    private readonly Option<string?> tries = new("--steps") { HelpName = "N", Description = "Steps to take (default 1000)." };
    private readonly Option<string?> playSeed = new("--seed") { HelpName = "N", Description = "Seed of start states and actions (default 0)." };
    private readonly Option<string?> at = new("--at") { HelpName = "STEP", Description = "Gradient step to look at (default: the newest event)." };
    private readonly Argument<string?> environment = new("ENV") { Arity = ArgumentArity.ZeroOrOne, Description = "Environment: see `ne env list`; or cycle:TASK,TASK,..., PATH.yaml, plugin:PATH.dll, \"external:COMMAND\"." };
    private readonly Argument<string[]> reported = new("NAME") { Arity = ArgumentArity.OneOrMore, Description = "Runs and sweeps." };
    private readonly Option<string?> reportFolder = new("--output", "-o") { HelpName = "DIR", Description = "Folder of the report (default for one NAME: runs/NAME/report; for several: runs/reports/A-and-B)." };
    private readonly Option<string?> compareAt = new("--at") { HelpName = "STEP", Description = "Environment step to compare at (default: the runs' length)." };
    private readonly Option<string[]> heatMap = new("--heatmap") { HelpName = "RUN", Description = "Draw the gradients of a stored run, layer by layer (repeatable)." };
    private readonly Option<string[]> reference = new("--reference") { HelpName = "FILE", Description = "Draw learning curves of others from a CSV file (repeatable)." };
    private readonly Option<bool> otherMuJoCo = new("--other-mujoco") { Description = "Go on although MuJoCo has another version than before; episodes under way begin anew." };
    private readonly Option<string?> archiveFile = new("--output", "-o") { HelpName = "FILE", Description = "The archive (default NAME.tar.gz in the current folder)." };
    private readonly Option<bool> withoutReplay = new("--without-replay") { Description = "Leave the replay memory out: much smaller, but what is restored cannot be resumed." };
    private readonly Option<bool> withVideos = new("--videos") { Description = "Take the videos too." };
    private readonly Option<string?> restoredName = new("--name") { HelpName = "NAME", Description = "Name of the restored run (default its own)." };
    private readonly Argument<string> archive = new("FILE") { Description = "What `ne archive` wrote." };
    private readonly Argument<string> archived = new("NAME") { Description = "Name of the run or sweep." };
    private readonly Argument<string[]> pruned = new("NAME") { Arity = ArgumentArity.ZeroOrMore, Description = "Runs and sweeps; without it all runs." };
    private readonly Option<bool> pruneReplay = new("--replay") { Description = "The replay memory of complete runs too: they can then never be extended." };
    private readonly Option<bool> pruneVideos = new("--videos") { Description = "Videos too." };
    private readonly Option<string?> olderThan = new("--older-than") { HelpName = "DAYS", Description = "Only runs that have stored nothing for so many days." };
    private readonly Option<string[]> pruneStates = new("--state") { HelpName = "STATE", Description = $"Only runs that are {string.Join(", ", PrunableStates)} (repeatable)." };
    private readonly Option<bool> yes = new("--yes") { Description = "Delete; without it, say only what would be deleted." };
    private readonly Argument<string?> sweep = new("FILE|PRESET") { Arity = ArgumentArity.ZeroOrOne, Description = "A sweep's YAML file, or a preset; without it a list of the presets." };
    private readonly Argument<string[]> pairs = new("key=value") { Arity = ArgumentArity.ZeroOrMore, Description = "Configuration keys (see `ne config schema`)." };
    private readonly Argument<string> run = new("NAME") { Description = "Name of the run." };
    private readonly Argument<string?> anyRun = new("NAME") { Arity = ArgumentArity.ZeroOrOne, Description = "Name of a run or sweep; without it a table of all." };
    private readonly Argument<string[]> verified = new("NAME") { Arity = ArgumentArity.ZeroOrMore, Description = "Runs and sweeps; without one, all runs." };
    private readonly Option<bool> deep = new("--deep") { Description = "Read every byte of the replay memory and of SQLite's pages too." };
    private readonly Option<string?> tortureSeed = new("--seed") { HelpName = "N", Description = "What the attacks follow from (default 1)." };
    private readonly Option<string?> attacks = new("--attacks") { HelpName = "N", Description = "How many attacks (default 20; thousands with --minutes)." };
    private readonly Option<string?> attack = new("--attack") { HelpName = "K", Description = "This one alone, by its number." };
    private readonly Option<string?> kinds = new("--only") { HelpName = "KIND,...", Description = "kill (signals at random moments), place (death at a named place of a commit or recovery), storage (failing writes, syncs, renames), damage (files changed after a kill)." };
    private readonly Option<string[]> scenarios = new("--scenario") { HelpName = "TEXT", Description = "Only runs with this text in their name, such as async or pictures (repeatable; default: all that can be attacked here)." };
    private readonly Option<string?> plugin = new("--plugin") { HelpName = "PATH.dll", Description = "A plug-in of one's own to train on, PATH.dll or PATH.dll#TYPE; without it no run has one." };
    private readonly Option<string?> minutes = new("--minutes") { HelpName = "N", Description = "Begin no attack after so many minutes." };
    private readonly Option<string?> tortureParallel = new("--parallel") { HelpName = "K", Description = "Attacks at a time (default: as many as there are cores)." };
    private readonly Option<string?> keep = new("--keep") { HelpName = "DIR", Description = "Keep every run, in this folder (default: a temporary one, kept when an attack got through)." };
    private readonly Argument<string> file = new("FILE") { Description = "Reference trajectories in JSON." };
    private readonly Argument<string> id = new("ID") { Description = "Environment (see `ne env list`)." };
    private readonly Argument<string[]> testArguments = new("ARGS") { Arity = ArgumentArity.ZeroOrMore, Description = "Passed to every test runner; --unit skips the end-to-end tests." };
    private readonly Argument<string[]> packArguments = new("ARGS") { Arity = ArgumentArity.ZeroOrMore, Description = "Passed to `dotnet pack`." };
    private readonly Argument<string[]> benchArguments = new("ARGS") { Arity = ArgumentArity.ZeroOrMore, Description = "Which benchmark (default all), and its options." };

    private readonly Option<string?> steps = new("--steps") { HelpName = "N", Description = "Environment steps of the whole run (run.steps)." };
    private readonly Option<string?> videoEvery = new("--video-every") { HelpName = "N", Description = "Environment steps between videos of the policy (video.every)." };

    private readonly Option<string?> fleet = new("--fleet") { HelpName = "HOST:PORT", Description = "Let the nodes of this fleet hold the environments (see `ne node`); the run's bits are the same." };
    private readonly Option<string?> sweepFleet = new("--fleet") { HelpName = "HOST:PORT", Description = "Let the nodes of this fleet work on the cells (see `ne node`)." };
    private readonly Option<string?> servedFleet = new("--fleet") { HelpName = "HOST:PORT", Description = "Show the machines of this fleet too." };
    private readonly Option<string?> fleetKey = new("--fleet-key") { HelpName = "FILE", Description = "The fleet's key (default ~/.config/ne/fleet.pem, or NE_FLEET_KEY)." };
    private readonly Option<string[]> seedNodes = new("--seed-node") { HelpName = "HOST:PORT", Description = "A process of the fleet to join by (repeatable); without one, a fleet begins here." };
    private readonly Option<string?> nodePort = new("--port") { HelpName = "P", Description = $"Port to listen on (default {FleetAddress.DefaultPort}; 0: any)." };
    private readonly Option<string?> nodeHost = new("--host") { HelpName = "ADDRESS", Description = "Address of this machine to listen on (default: this machine alone, or what reaches the seed node)." };
    private readonly Option<string?> nodePublic = new("--public") { HelpName = "HOST:PORT", Description = "How the others reach it, where ports are forwarded." };
    private readonly Option<string?> nodeName = new("--name") { HelpName = "NAME", Description = "What people call it (default MACHINE-PROCESS)." };
    private readonly Option<string?> held = new("--environments") { HelpName = "N", Description = "Environments that it offers to hold (default: one per core)." };
    private readonly Option<string?> slots = new("--slots") { HelpName = "N", Description = "Cells of sweeps at a time (default: as many as the cores carry)." };
    private readonly Option<bool> ownDisk = new("--own-disk") { Description = "Share no folder: work on a disk of this machine and copy every commit to the node that coordinates." };
    private readonly Option<string?> patience = new("--patience") { HelpName = "SECONDS", Description = $"Silence after which a node's cells are given to others (default {DefaultPatience}; the same for all nodes)." };
    private readonly Argument<string?> fleetAddress = new("HOST:PORT") { Arity = ArgumentArity.ZeroOrOne, Description = "Any process of the fleet (default: the node of this machine)." };
    private readonly Argument<string> fleetKeyFile = new("FILE") { Description = "Where the key goes." };

    /// <summary>Options that stand for a configuration key.</summary>
    private readonly (Option<string?> Option, string Key)[] keyed;

    /// <summary>Options whose value is a path or another text that is never empty.</summary>
    private readonly Option<string?>[] texts;

    public CommandGrammar()
    {
        // Not a RootCommand: that one is named after whatever process runs it.
        Root = new Verb("ne", "Trains reinforcement-learning agents whose networks grow and prune while they learn (Neuroplastic Expansion on TD3 or SAC).");
        this.texts = [this.runs, this.config, this.variant, this.seq, this.askedSeq, this.output, this.video, this.image, this.reportFolder, this.archiveFile, this.restoredName, this.journal, this.to, this.listen, this.exported, this.compared, this.head, this.actor, this.fleetKey, this.nodeHost, this.nodeName, this.plugin];
        this.keyed =
        [
            (new("--learner") { HelpName = "td3|sac|drq|drqv2", Description = "The algorithm of reinforcement learning (run.learner)." }, "run.learner"),
            (new("--method") { HelpName = "METHOD", Description = "ne, reset, redo, ... or a composition such as redo+layer-norm; none: the plain learner (run.method)." }, "run.method"),
            (new("--seed") { HelpName = "N", Description = "Seed of every random stream (run.seed)." }, "run.seed"),
            (this.steps, "run.steps"),
            (new("--cycles") { HelpName = "N", Description = "Visits of every task of cycle:TASK,TASK,... (cycle.cycles)." }, "cycle.cycles"),
            (new("--schedule") { HelpName = "serial|pipelined|async", Description = "Who may step when (schedule.kind)." }, "schedule.kind"),
            (new("--envs") { HelpName = "N", Description = "Environments side by side (schedule.environments)." }, "schedule.environments"),
            (new("--threads") { HelpName = "N", Description = "Threads of the learner (compute.threads)." }, "compute.threads"),
            (new("--engine") { HelpName = "auto|torch|simd", Description = "What computes a gradient step (compute.engine)." }, "compute.engine"),
            (new("--device") { HelpName = "auto|cpu|cuda[:N]", Description = "Where the learner computes (compute.device)." }, "compute.device"),
            (this.videoEvery, "video.every"),
        ];
        Option<string?>[] keyOptions = [.. this.keyed.Select(pair => pair.Option)];
        Root.Add(this.runs);
        Root.Add(Version);
        Option[] ofTraining = [.. keyOptions, this.variant, this.name, this.config, this.journal, this.fleet, this.fleetKey, this.seq, this.serve, this.port, this.plain, this.dryRun, this.overwrite, this.drill, this.stopAtEof, this.lease, this.trainPixels];
        Root.Add(Leaf("train", "Start a new run.", [this.environment, this.pairs], [.. ofTraining, this.actor]));
        Root.Add(Leaf("resume", "Continue a stopped run from its last commit.", [this.run, this.pairs], [this.steps, this.from, this.videoEvery, this.otherMuJoCo, this.journal, this.fleet, this.fleetKey, this.seq, this.serve, this.port, this.plain, this.drill, this.stopAtEof, this.lease]));
        Root.Add(Leaf("sweep", "Train many runs: methods, environments, seeds and keys, multiplied out.", [this.sweep], [this.smoke, this.parallel, this.resumeSweep, this.retryFailed, this.sweepDryRun, this.sweepPlain, this.sweepFleet, this.fleetKey, this.journal, this.seq, this.serve, this.port]));
        Root.Add(Leaf("status", "Show a run or a sweep, or a table of all.", [this.anyRun], [this.json]));
        Root.Add(Leaf("serve", "Show runs and sweeps on a page that grows while they learn.", [this.served], [this.port, this.listen, this.control, this.servedFleet, this.fleetKey]));
        Root.Add(Leaf("node", "Take part in a fleet of machines: work on cells of sweeps, hold environments of runs.", [], [this.nodePort, this.seedNodes, this.slots, this.ownDisk, this.held, this.nodeName, this.nodeHost, this.nodePublic, this.patience, this.fleetKey, this.seq, this.stopAtEof]));
        Verb fleets = Leaf("fleet", "Show the processes of a fleet, and what each works on.", [this.fleetAddress], [this.fleetKey, this.json]);
        fleets.Add(Leaf("key", "Make the key that lets machines into a fleet.", [this.fleetKeyFile], []));
        Root.Add(fleets);
        Root.Add(Leaf("eval", "Play noise-free episodes with a stored policy.", [this.run], [this.episodes, this.checkpoint, this.json]));
        Root.Add(Leaf("record", "Write a video of noise-free episodes of a stored policy.", [this.run], [this.checkpoint, this.filmed, this.size, this.output, this.replace, this.json]));
        Root.Add(Leaf("export", "Write a stored policy for other programs: ONNX, safetensors, PyTorch.", [this.run], [this.format, this.checkpoint, this.head, this.exported, this.replace, this.json]));
        Root.Add(Leaf("import", "Start a new run whose actor begins with that of a file: ne train --actor FILE.", [this.importedFile, this.environment, this.pairs], ofTraining));
        Root.Add(Leaf("probe", "Measure plasticity: how fast copies of stored networks learn something new, beside fresh ones.", [this.run], [this.probed, this.json]));
        Root.Add(Leaf("digest", "Print one sha256 over the state of the last commit, and one per component.", [this.run], [this.digested, this.compared, this.json]));
        Root.Add(Leaf("verify", "Read everything that a resume reads, and say what is damaged and what can be resumed.", [this.verified], [this.deep, this.json]));
        Root.Add(Leaf("repair", "Make anew what can be made anew of a damaged run, and keep what is whole of the rest.", [this.run], []));
        Root.Add(Leaf("torture", "Attack small runs of this executable and see that each ends as the run that was left alone.", [], [this.attacks, this.tortureSeed, this.attack, this.kinds, this.scenarios, this.plugin, this.journal, this.minutes, this.tortureParallel, this.keep, this.json]));
        Root.Add(Leaf("topology", "Show density, grown, pruned and dormant layer by layer at any past event.", [this.run], [this.at, this.json]));
        Root.Add(Leaf("report", "Compare runs: figures, tables, intervals, provenance.", [this.reported], [this.reportFolder, this.compareAt, this.heatMap, this.reference]));
        Root.Add(Leaf("archive", "Pack a stopped run or sweep into one checksummed file.", [this.archived], [this.archiveFile, this.withoutReplay, this.withVideos, this.replace]));
        Root.Add(Leaf("restore", "Unpack an archive, verified, to go on where it was packed.", [this.archive], [this.restoredName]));
        Root.Add(Leaf("prune", "Delete what stopped runs need no more; says first what that would be.", [this.pruned], [this.pruneReplay, this.pruneVideos, this.olderThan, this.pruneStates, this.yes]));
        Verb journals = Group("journal", "Where a run's journal is.");
        journals.Add(Leaf("copy", "Copy a run's journal into a PostgreSQL server, or back into its folder; the run goes on there.", [this.run], [this.to]));
        Root.Add(journals);
        Verb seqs = Group("seq", "A Seq server for the logs.");
        seqs.Add(Leaf("setup", "Make signals, saved queries and a dashboard in a Seq server, or bring them up to date.", [this.seqServer], [this.seqDryRun]));
        Root.Add(seqs);
        Verb environments = Group("env", "Environments.");
        environments.Add(Leaf("list", "List the environments.", [], [this.pixels, this.json]));
        environments.Add(Leaf("show", "Show an environment: spaces, bounds, limits, reward, camera, source.", [this.id], [this.pixels, this.image, this.size, this.replace, this.json]));
        environments.Add(Leaf("run", "Try an environment with random actions, without an agent.", [this.id], [this.tries, this.playSeed, this.pixels, this.video, this.size, this.replace, this.json]));
        environments.Add(Leaf("replay", "Replay reference trajectories and print the worst differences.", [this.file], [this.json]));
        Root.Add(environments);
        Root.Add(Leaf("doctor", "Check what a run needs on this machine.", [], [this.askedSeq, this.json]));
        Verb configuration = Group("config", "Configuration keys.");
        configuration.Add(Leaf("show", "Show the resolved configuration.", [this.environment, this.pairs], [.. keyOptions, this.variant, this.config, this.yaml, this.json]));
        configuration.Add(Leaf("schema", "Document every key: default, unit, allowed values, where the default comes from.", [], [this.json]));
        Root.Add(configuration);
        Root.Add(Leaf("completion", "Print a script by which bash, zsh or fish complete verbs, options, tasks, runs and keys.", [this.shell], []));
        Verb complete = Leaf("complete", "Print what can stand at the end of a line.", [this.line], []);
        complete.Hidden = true;
        Root.Add(complete);
        Root.Add(Leaf("test", "Build everything and run every test (through the launcher ./ne).", [this.testArguments], []));
        Root.Add(Leaf("pack", "Make packages: NE.Model, NE.Actors and the tool ne (through the launcher ./ne).", [this.packArguments], []));
        Root.Add(Leaf("bench", "Measure speed and memory, beside PyTorch and plain C (through the launcher ./ne).", [this.benchArguments], []));

        var help = new HelpOption { Description = "Show this help." };
        help.Action = new HelpWithExamples((HelpAction)help.Action!, HelpTexts.Closing);
        Root.Add(help);
    }

    public Verb Root { get; }

    public Option<bool> Version { get; } = new("--version") { Description = "Show the version." };

    /// <summary>Reads the values of a parsed verb; adds what is wrong with them to <paramref name="problems"/>.</summary>
    public Command? Read(ParseResult parsed, string verb, string defaultRuns, List<string> problems)
    {
        // What an unset variable of a script leaves. The value would be taken for a path.
        problems.AddRange(this.texts.Where(option => Given(parsed, option) is "").Select(option => $"{option.Name} expects a value: {option.Name} {option.HelpName}"));
        string folder = parsed.GetValue(this.runs) ?? defaultRuns;
        bool asJson = Has(parsed, this.json);
        return verb switch
        {
            "train" or "import" => new TrainCommand(
                Configuration(parsed, problems),
                Presentation(parsed, problems),
                RunName(parsed.GetValue(this.name), "--name", problems),
                Has(parsed, this.dryRun),
                Has(parsed, this.overwrite))
            { Runs = folder, Drills = Drills(parsed, problems), Pixels = Has(parsed, this.trainPixels), Journal = Given(parsed, this.journal), Actor = verb == "import" ? parsed.GetRequiredValue(this.importedFile) : Given(parsed, this.actor), Fleet = this.Fleet(parsed, problems) },
            "resume" => new ResumeCommand(
                Name(parsed, problems), Configuration(parsed, problems), From(parsed.GetValue(this.from), problems), Presentation(parsed, problems))
            { Runs = folder, Drills = Drills(parsed, problems), Journal = Given(parsed, this.journal), OnOtherMuJoCo = Has(parsed, this.otherMuJoCo), Fleet = this.Fleet(parsed, problems) },
            "sweep" => Sweep(parsed, folder, problems),
            "status" => new StatusCommand(RunName(parsed.GetValue(this.anyRun), "NAME", problems), asJson) { Runs = folder },
            "serve" => new ServeCommand(
                [.. (parsed.GetValue(this.served) ?? []).Select(name => RunName(name, "NAME", problems)!)],
                this.Port(parsed, problems),
                Given(parsed, this.listen),
                Has(parsed, this.control))
            { Runs = folder, Fleet = new(Address(Given(parsed, this.servedFleet), "--fleet", problems), Given(parsed, this.fleetKey)) },
            "node" => new NodeCommand(
                Given(parsed, this.nodeName),
                [.. (parsed.GetValue(this.seedNodes) ?? []).Select(seed => Address(seed, "--seed-node", problems)).OfType<FleetAddress>()],
                PortNumber(parsed.GetValue(this.nodePort), problems) ?? FleetAddress.DefaultPort,
                Given(parsed, this.nodeHost),
                Address(Given(parsed, this.nodePublic), "--public", problems),
                Given(parsed, this.fleetKey),
                parsed.GetValue(this.slots) is { } cells ? CommandLine.Count(cells, "--slots", problems, least: 0) : null,
                parsed.GetValue(this.held) is { } many ? CommandLine.Count(many, "--environments", problems, least: 0) : null,
                parsed.GetValue(this.patience) is { } silent ? CommandLine.Count(silent, "--patience", problems, LeastPatience) ?? LeastPatience : DefaultPatience,
                parsed.GetValue(this.seq),
                Has(parsed, this.stopAtEof))
            { Runs = folder, IsOwnDisk = Has(parsed, this.ownDisk) },
            "fleet" => new FleetCommand(new(Address(parsed.GetValue(this.fleetAddress), "HOST:PORT", problems), Given(parsed, this.fleetKey)), asJson) { Runs = folder },
            "fleet key" => new FleetKeyCommand(parsed.GetRequiredValue(this.fleetKeyFile)) { Runs = folder },
            "eval" => new EvalCommand(
                Name(parsed, problems),
                parsed.GetValue(this.episodes) is { } count ? CommandLine.Count(count, "--episodes", problems) ?? 1 : 10,
                Policy(parsed.GetValue(this.checkpoint), problems),
                asJson)
            { Runs = folder },
            "record" => new RecordCommand(
                Name(parsed, problems),
                Policy(parsed.GetValue(this.checkpoint), problems),
                parsed.GetValue(this.filmed) is { } count ? CommandLine.Count(count, "--episodes", problems) ?? 1 : 1,
                Size(parsed.GetValue(this.size), problems),
                parsed.GetValue(this.output),
                Has(parsed, this.replace),
                asJson)
            { Runs = folder },
            "export" => new ExportCommand(
                Name(parsed, problems),
                ExportFormat(parsed.GetValue(this.format), problems),
                Policy(parsed.GetValue(this.checkpoint), problems),
                Given(parsed, this.head),
                Given(parsed, this.exported),
                Has(parsed, this.replace),
                asJson)
            { Runs = folder },
            "digest" when Given(parsed, this.compared) is { } other => this.Comparison(parsed, Name(parsed, problems), other, folder, asJson, problems),
            "digest" => new DigestCommand(Name(parsed, problems), Commit(parsed.GetValue(this.digested), false, problems), asJson) { Runs = folder },
            "probe" => new ProbeCommand(Name(parsed, problems), Commit(parsed.GetValue(this.probed), true, problems), asJson) { Runs = folder },
            "verify" => new VerifyCommand(
                [.. (parsed.GetValue(this.verified) ?? []).Select(name => RunName(name, "NAME", problems)!)],
                Has(parsed, this.deep),
                asJson)
            { Runs = folder },
            "repair" => new RepairCommand(Name(parsed, problems)) { Runs = folder },
            "torture" => new TortureCommand(
                Seed(parsed.GetValue(this.tortureSeed) ?? "1", problems),
                parsed.GetValue(this.attacks) is { } many ? CommandLine.Count(many, "--attacks", problems) ?? 1 : parsed.GetValue(this.minutes) is null ? 20 : 1_000_000,
                parsed.GetValue(this.attack) is { } chosen ? CommandLine.Count(chosen, "--attack", problems, least: 0) : null,
                Kinds(parsed, problems),
                parsed.GetValue(this.minutes) is { } limit ? CommandLine.Count(limit, "--minutes", problems) : null,
                parsed.GetValue(this.tortureParallel) is { } side ? CommandLine.Count(side, "--parallel", problems) ?? 1 : Environment.ProcessorCount,
                parsed.GetValue(this.keep),
                asJson)
            { Runs = folder, Scenarios = Scenarios(parsed, problems), Plugin = Given(parsed, this.plugin), Journal = Given(parsed, this.journal) },
            "topology" => new TopologyCommand(
                Name(parsed, problems),
                parsed.GetValue(this.at) is { } step ? CommandLine.WholeNumber(step, "--at", 0, problems) : null,
                asJson)
            { Runs = folder },
            "report" => new ReportCommand(
                [.. parsed.GetRequiredValue(this.reported).Select(name => RunName(name, "NAME", problems)!)],
                parsed.GetValue(this.reportFolder),
                parsed.GetValue(this.compareAt) is { } compared ? CommandLine.WholeNumber(compared, "--at", 1, problems) : null,
                [.. (parsed.GetValue(this.heatMap) ?? []).Select(name => RunName(name, "--heatmap", problems)!)],
                References(parsed, problems))
            { Runs = folder },
            "archive" => new ArchiveCommand(
                RunName(parsed.GetRequiredValue(this.archived), "NAME", problems)!,
                parsed.GetValue(this.archiveFile),
                Has(parsed, this.withoutReplay),
                Has(parsed, this.withVideos),
                Has(parsed, this.replace))
            { Runs = folder },
            "restore" => new RestoreCommand(parsed.GetRequiredValue(this.archive), RunName(parsed.GetValue(this.restoredName), "--name", problems)) { Runs = folder },
            "prune" => new PruneCommand(
                [.. (parsed.GetValue(this.pruned) ?? []).Select(name => RunName(name, "NAME", problems)!)],
                Has(parsed, this.pruneReplay),
                Has(parsed, this.pruneVideos),
                parsed.GetValue(this.olderThan) is { } days ? CommandLine.Count(days, "--older-than", problems) : null,
                States(parsed, problems),
                Has(parsed, this.yes))
            { Runs = folder },
            "journal copy" => new JournalCopyCommand(Name(parsed, problems), Given(parsed, this.to) ?? "") { Runs = folder },
            "seq setup" => new SeqSetupCommand(parsed.GetValue(this.seqServer), Has(parsed, this.seqDryRun)) { Runs = folder },
            "env list" => new EnvironmentListCommand(Has(parsed, this.pixels), asJson) { Runs = folder },
            "env show" => new EnvironmentShowCommand(
                parsed.GetRequiredValue(this.id),
                Has(parsed, this.pixels),
                parsed.GetValue(this.image),
                Size(parsed.GetValue(this.size), problems),
                Has(parsed, this.replace),
                asJson)
            { Runs = folder },
            "env run" => new EnvironmentRunCommand(
                parsed.GetRequiredValue(this.id),
                parsed.GetValue(this.tries) is { } steps ? CommandLine.WholeNumber(steps, "--steps", 1, problems) ?? 1 : 1000,
                Seed(parsed.GetValue(this.playSeed), problems),
                Has(parsed, this.pixels),
                parsed.GetValue(this.video),
                Size(parsed.GetValue(this.size), problems),
                Has(parsed, this.replace),
                asJson)
            { Runs = folder },
            "env replay" => new EnvironmentReplayCommand(parsed.GetRequiredValue(this.file), asJson) { Runs = folder },
            "doctor" => new DoctorCommand(parsed.GetValue(this.askedSeq), asJson) { Runs = folder },
            "config show" => new ConfigShowCommand(Configuration(parsed, problems), this.Format(parsed, asJson, problems))
            { Runs = folder },
            "config schema" => new ConfigSchemaCommand(asJson) { Runs = folder },
            "completion" => new CompletionCommand(Shell(parsed.GetRequiredValue(this.shell), problems)) { Runs = folder },
            "complete" => new CompleteCommand(parsed.GetRequiredValue(this.line)) { Runs = folder },
            "test" => new TestCommand { Runs = folder },
            "pack" => new PackCommand { Runs = folder },
            "bench" => new BenchCommand { Runs = folder },
            _ => throw new InvalidOperationException($"the verb '{verb}' is in the grammar but has no command"),
        };
    }

    private static Verb Group(string name, string description) => new(name, description);

    private static Verb Leaf(string name, string description, IReadOnlyList<Argument> arguments, IReadOnlyList<Option> options)
    {
        var verb = new Verb(name, description);

        foreach (Argument argument in arguments)
        {
            verb.Add(argument);
        }

        foreach (Option option in options)
        {
            verb.Add(option);
        }

        // Without an action the parser asks for a verb; what the action would do is decided by `Shell`.
        verb.SetAction(_ => 0);
        return verb;
    }

    private string[] Kinds(ParseResult parsed, List<string> problems)
    {
        string[] given = parsed.GetValue(this.kinds)?.Split(',', StringSplitOptions.TrimEntries) ?? [.. Torture.Attack.Kinds];
        problems.AddRange(given.Except(Torture.Attack.Kinds).Select(kind => $"--only expects {string.Join(", ", Torture.Attack.Kinds)}, found '{kind}'"));
        return given;
    }

    private string[] Scenarios(ParseResult parsed, List<string> problems)
    {
        string[] given = parsed.GetValue(this.scenarios) ?? [];
        problems.AddRange(given.Where(text => text.Length == 0 || !Torture.Scenario.All.Any(scenario => scenario.IsCalled(text)))
            .Select(text => $"--scenario expects a part of a name, found '{text}'; there are: {string.Join("; ", Torture.Scenario.All.Select(scenario => scenario.Name))}"));
        return given;
    }

    private static string Shell(string name, List<string> problems)
    {
        if (!Completion.Shells.Contains(name))
        {
            problems.Add($"completion expects {string.Join(", ", Completion.Shells[..^1])} or {Completion.Shells[^1]}, found '{name}'");
        }

        return name;
    }

    private string[] References(ParseResult parsed, List<string> problems)
    {
        string[] files = parsed.GetValue(this.reference) ?? [];

        if (files.Contains(""))
        {
            problems.Add($"{this.reference.Name} expects a value: {this.reference.Name} {this.reference.HelpName}");
        }

        return files;
    }

    private string[] States(ParseResult parsed, List<string> problems)
    {
        string[] states = parsed.GetValue(this.pruneStates) ?? [];
        problems.AddRange(states.Except(PrunableStates).Select(state => $"--state expects {string.Join(", ", PrunableStates[..^1])} or {PrunableStates[^1]}, found '{state}'"));
        return states;
    }

    private static bool Has(ParseResult parsed, Option<bool> option) => parsed.GetResult(option) is not null && parsed.GetValue(option);

    private static string? Given(ParseResult parsed, Option<string?> option) => parsed.GetResult(option) is null ? null : parsed.GetValue(option);

    private ConfigurationArguments Configuration(ParseResult parsed, List<string> problems)
    {
        var options = new List<(string Key, string Value, string Option)>();
        var pairs = new List<string>();

        foreach ((Option<string?> option, string key) in this.keyed)
        {
            if (parsed.GetResult(option) is not null && parsed.GetValue(option) is { } value)
            {
                options.Add((key, value, option.Name));
            }
        }

        bool takesEnvironment = parsed.CommandResult.Command.Arguments.Contains(this.environment);
        // `ne train ne.omega=0.2` gives the first word to ENV.
        string?[] words = [takesEnvironment ? parsed.GetValue(this.environment) : null, .. parsed.GetValue(this.pairs) ?? []];

        foreach (string word in words.OfType<string>())
        {
            // The command of an external environment may have an '=' in it.
            if (word.Contains('=', StringComparison.Ordinal) && !EnvironmentId.IsOwn(word))
            {
                pairs.Add(word);
            }
            else if (!takesEnvironment)
            {
                problems.Add($"expected key=value, found '{word}'");
            }
            else if (options.FirstOrDefault(option => option.Option == "ENV") is { Option: not null } first)
            {
                problems.Add($"expected one environment, found '{first.Value}' and '{word}' (configuration keys are given as key=value)");
            }
            else
            {
                options.Add(("run.environment", word, "ENV"));
            }
        }

        return new ConfigurationArguments(Given(parsed, this.config), options, pairs)
        {
            Variant = Given(parsed, this.variant),
            Otherwise = Has(parsed, this.trainPixels) ? [("run.learner", "drq", this.trainPixels.Name)] : [],
        };
    }

    private ConfigurationFormat Format(ParseResult parsed, bool asJson, List<string> problems)
    {
        bool asYaml = Has(parsed, this.yaml);

        if (asYaml && asJson)
        {
            problems.Add($"expected {this.json.Name} or {this.yaml.Name}, found both");
        }

        return asJson ? ConfigurationFormat.Json : asYaml ? ConfigurationFormat.Yaml : ConfigurationFormat.Table;
    }

    private FaultDrill[] Drills(ParseResult parsed, List<string> problems)
    {
        var drills = new List<FaultDrill>();

        foreach (string text in parsed.GetValue(this.drill) ?? [])
        {
            if (text.Split('@') is [var index, var step]
                && int.TryParse(index, NumberStyles.None, CultureInfo.InvariantCulture, out int environment)
                && long.TryParse(step, NumberStyles.None, CultureInfo.InvariantCulture, out long at))
            {
                drills.Add(new FaultDrill(environment, at));
            }
            else
            {
                problems.Add($"--drill: expected INDEX@STEP, such as 1@20000, found '{text}'");
            }
        }

        return [.. drills];
    }

    private PresentationArguments Presentation(ParseResult parsed, List<string> problems) =>
        new(Has(parsed, this.plain), parsed.GetValue(this.seq)) { StopAtEnd = Has(parsed, this.stopAtEof), HasLease = Has(parsed, this.lease), Page = this.Page(parsed, problems) };

    private PagePort? Page(ParseResult parsed, List<string> problems)
    {
        if (Has(parsed, this.serve))
        {
            return this.Port(parsed, problems);
        }

        if (Given(parsed, this.port) is not null)
        {
            problems.Add("--port is that of the page: give --serve too");
        }

        return null;
    }

    private PagePort Port(ParseResult parsed, List<string> problems)
    {
        if (Given(parsed, this.port) is not { } text)
        {
            return PagePort.Default;
        }

        return new(PortNumber(text, problems) ?? 0, Asked: true);
    }

    private static int? PortNumber(string? text, List<string> problems)
    {
        if (text is null)
        {
            return null;
        }

        if (!ushort.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out ushort number))
        {
            problems.Add($"--port expects a whole number in [0, {ushort.MaxValue}], found '{text}'");
        }

        return number;
    }

    private FleetArguments Fleet(ParseResult parsed, List<string> problems) =>
        new(Address(Given(parsed, this.fleet), "--fleet", problems), Given(parsed, this.fleetKey));

    private static FleetAddress? Address(string? text, string option, List<string> problems)
    {
        try
        {
            return text is null ? null : FleetAddress.Parse(text);
        }
        catch (FormatException problem)
        {
            problems.Add($"{option}: {problem.Message}");
            return null;
        }
    }

    private SweepCommand Sweep(ParseResult parsed, string folder, List<string> problems)
    {
        string? source = parsed.GetValue(this.sweep);
        string? stored = RunName(parsed.GetValue(this.resumeSweep), "--resume", problems);

        if (source is not null && stored is not null)
        {
            problems.Add($"expected a file or --resume NAME, found '{source}' and --resume {stored}");
        }

        if (stored is not null && Has(parsed, this.smoke))
        {
            problems.Add("--smoke shortens a file or a preset; --resume goes on with a sweep as it is stored");
        }

        return new SweepCommand(
            source,
            stored,
            parsed.GetValue(this.parallel) is { } count ? CommandLine.Count(count, "--parallel", problems) : null,
            Has(parsed, this.retryFailed),
            Has(parsed, this.sweepDryRun),
            new(Has(parsed, this.sweepPlain), parsed.GetValue(this.seq)) { Page = this.Page(parsed, problems) })
        { Runs = folder, Smoke = Has(parsed, this.smoke), Journal = Given(parsed, this.journal), Fleet = new(Address(Given(parsed, this.sweepFleet), "--fleet", problems), Given(parsed, this.fleetKey)) };
    }

    private string Name(ParseResult parsed, List<string> problems) => RunName(parsed.GetRequiredValue(this.run), "NAME", problems)!;

    /// <summary>A name becomes a folder, so it must be one plain file name.</summary>
    private static string? RunName(string? text, string option, List<string> problems)
    {
        try
        {
            return text is null ? null : NE.Actors.RunDirectory.RunName.Validate(text);
        }
        catch (RunFolderException problem)
        {
            problems.Add($"{option}: {problem.Message}");
            return text;
        }
    }

    private static VideoSize Size(string? text, List<string> problems)
    {
        if (text is null)
        {
            return VideoSize.Default;
        }

        if (VideoSize.Parse(text) is { } size)
        {
            return size;
        }

        problems.Add($"--size expects WIDTHxHEIGHT, each from {VideoSize.Least} to {VideoSize.Most}, such as 640x480, found '{text}'");
        return VideoSize.Default;
    }

    private static long Seed(string? text, List<string> problems)
    {
        if (long.TryParse(text ?? "0", NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out long seed))
        {
            return seed;
        }

        problems.Add($"--seed expects a whole number, found '{text}'");
        return 0;
    }

    private CompareDigestCommand Comparison(ParseResult parsed, string name, string other, string folder, bool asJson, List<string> problems)
    {
        if (parsed.GetValue(this.digested) is not null)
        {
            problems.Add($"{this.compared.Name} compares runs as they are at their last commits; leave {this.digested.Name} out");
        }

        return new(name, RunName(other, this.compared.Name, problems)!, asJson) { Runs = folder };
    }

    private static ResumeFrom From(string? text, List<string> problems) =>
        Commit(text, false, problems) == CheckpointChoice.Previous ? ResumeFrom.Previous : ResumeFrom.Latest;

    /// <summary>The stored policy that is meant; null for the best one, which is stored by itself.</summary>
    private static CheckpointChoice? Policy(string? text, List<string> problems) =>
        text is null or "best" ? null : Commit(text, true, problems, "best, ");

    /// <param name="canBeOlder">Whether any step may be named, or the last two commits alone.</param>
    /// <param name="others">What else may be named, for the message.</param>
    private static CheckpointChoice Commit(string? text, bool canBeOlder, List<string> problems, string others = "")
    {
        if (canBeOlder && long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out long step))
        {
            return CheckpointChoice.At(step);
        }

        if (text is not (null or "last" or "previous"))
        {
            string allowed = canBeOlder ? "last, previous or an environment step" : "last or previous";
            problems.Add($"--checkpoint expects {others}{allowed}, found '{text}'");
        }

        return text == "previous" ? CheckpointChoice.Previous : CheckpointChoice.Last;
    }

    private static PolicyFormat ExportFormat(string? text, List<string> problems)
    {
        switch (text)
        {
            case null or "onnx":
                return PolicyFormat.Onnx;
            case "safetensors":
                return PolicyFormat.Safetensors;
            case "torch":
                return PolicyFormat.Torch;
            default:
                problems.Add($"--to expects onnx, safetensors or torch, found '{text}'");
                return PolicyFormat.Onnx;
        }
    }
}
