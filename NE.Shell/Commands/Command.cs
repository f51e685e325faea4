using NE.Actors.Exports;
using NE.Actors.Fleet;
using NE.Actors.Journal;
using NE.Actors.Runs;
using NE.Actors.Video;
using NE.Shell.Configuration;
using NE.Shell.Fleet;

namespace NE.Shell.Commands;

/// <summary>What the user asked for, as a value: one case per verb. The command line is parsed into it, one switch executes it.</summary>
public abstract record Command
{
    /// <summary>Folder that holds the runs.</summary>
    public required string Runs { get; init; }
}

/// <summary>How a run shows itself while it works.</summary>
/// <param name="Plain">One plain line per interval instead of the live view.</param>
/// <param name="Seq">Address of a Seq server; null uses NE_SEQ_URL or none.</param>
public sealed record PresentationArguments(bool Plain, string? Seq)
{
    /// <summary>Commit and stop when the standard input ends: another program has started the run and binds it to itself.</summary>
    public bool StopAtEnd { get; init; }

    /// <summary>Die when the standard input says no more that this may go on.</summary>
    public bool HasLease { get; init; }

    /// <summary>Port of a page beside the work, on this machine's own address; null for no page.</summary>
    public PagePort? Page { get; init; }
}

/// <summary>Where a page listens.</summary>
/// <param name="Number">0 for any that is free.</param>
/// <param name="Asked">Given by the user, so that another one is not taken instead.</param>
public readonly record struct PagePort(int Number, bool Asked)
{
    /// <summary>Where a page listens unless told otherwise.</summary>
    public static PagePort Default => new(7305, Asked: false);
}

/// <summary>Starts a new run.</summary>
public sealed record TrainCommand(
    ConfigurationArguments Configuration,
    PresentationArguments Presentation,
    string? Name,
    bool DryRun,
    bool Overwrite) : Command
{
    /// <summary>Failures to provoke.</summary>
    public IReadOnlyList<FaultDrill> Drills { get; init; } = [];

    /// <summary>Where the journal goes, as given: with the login, never to be printed. Null uses NE_JOURNAL or the run's folder.</summary>
    public string? Journal { get; init; }

    /// <summary>Learn from pictures: the learner is drq where nothing else is asked for.</summary>
    public bool Pixels { get; init; }

    /// <summary>A safetensors file with what the actor begins with; null for drawn values.</summary>
    public string? Actor { get; init; }

    /// <summary>Whose nodes hold the environments.</summary>
    public FleetArguments Fleet { get; init; } = FleetArguments.None;
}

/// <summary>Continues a stopped run from its last commit.</summary>
public sealed record ResumeCommand(string Name, ConfigurationArguments Changes, ResumeFrom From, PresentationArguments Presentation) : Command
{
    /// <summary>The run's own journal with a login, as given; null uses that of NE_JOURNAL.</summary>
    public string? Journal { get; init; }

    /// <summary>Failures to provoke.</summary>
    public IReadOnlyList<FaultDrill> Drills { get; init; } = [];

    /// <summary>Go on although the library is another version of MuJoCo than before.</summary>
    public bool OnOtherMuJoCo { get; init; }

    /// <summary>Whose nodes hold the environments.</summary>
    public FleetArguments Fleet { get; init; } = FleetArguments.None;
}

/// <summary>Takes part in a fleet until it is stopped.</summary>
/// <param name="Name">What people call it; null is made of the machine's name and the port.</param>
/// <param name="Seeds">Processes of the fleet to join by; none begins a fleet.</param>
/// <param name="Port">To listen on; 0 for any that is free.</param>
/// <param name="Bind">Address of this machine to listen on; null is chosen by the seeds, and is loopback without any.</param>
/// <param name="Public">How the others reach it; null is what it listens on.</param>
/// <param name="KeyFile">The fleet's key; null for the user's own.</param>
/// <param name="Slots">Cells of sweeps at a time; null is as many as the cores carry.</param>
/// <param name="Environments">Environments that it offers to hold; null is one per core.</param>
/// <param name="Patience">[s] Of silence, after which a node's cells are given to others; the same for all nodes.</param>
/// <param name="Seq">Address of a Seq server; null uses NE_SEQ_URL or none.</param>
/// <param name="StopAtEnd">Leave when the standard input ends: another program has started it and binds it to itself.</param>
public sealed record NodeCommand(
    string? Name, IReadOnlyList<FleetAddress> Seeds, int Port, string? Bind, FleetAddress? Public, string? KeyFile, int? Slots, int? Environments, int Patience, string? Seq, bool StopAtEnd) : Command
{
    /// <summary>Its folder of runs is its own: commits are copied to the folder of the node that coordinates.</summary>
    public bool IsOwnDisk { get; init; }
}

/// <summary>Shows the processes of a fleet.</summary>
/// <param name="Fleet">Which; its address null is this machine's node.</param>
public sealed record FleetCommand(FleetArguments Fleet, bool Json) : Command;

/// <summary>Makes a fleet's key.</summary>
/// <param name="File">Must not be there yet.</param>
public sealed record FleetKeyCommand(string File) : Command;

/// <summary>Starts, continues or describes a sweep of runs. With neither source nor name it lists the presets.</summary>
/// <param name="Source">A sweep's file or a preset's name.</param>
/// <param name="Resume">Name of a sweep to continue as it is stored.</param>
/// <param name="Parallel">Runs at a time; null leaves it to the file, or else to the machine.</param>
/// <param name="RetryFailed">Try cells that failed once more.</param>
public sealed record SweepCommand(
    string? Source, string? Resume, int? Parallel, bool RetryFailed, bool DryRun, PresentationArguments Presentation) : Command
{
    /// <summary>Where the journals of new cells go, as given: with the login, never to be printed.</summary>
    public string? Journal { get; init; }

    /// <summary>Whose nodes work on the cells.</summary>
    public FleetArguments Fleet { get; init; } = FleetArguments.None;

    /// <summary>Shorten it until two cores do it in minutes.</summary>
    public bool Smoke { get; init; }
}

/// <summary>Shows one run, or a table of all runs.</summary>
public sealed record StatusCommand(string? Name, bool Json) : Command;

/// <summary>Serves a page over runs until it is stopped.</summary>
/// <param name="Names">Runs and sweeps to show; all when empty.</param>
/// <param name="Address">Where to listen; null is this machine alone.</param>
/// <param name="Control">Let the page stop and resume runs.</param>
public sealed record ServeCommand(IReadOnlyList<string> Names, PagePort Port, string? Address, bool Control) : Command
{
    /// <summary>Whose machines to show.</summary>
    public FleetArguments Fleet { get; init; } = FleetArguments.None;
}

/// <summary>Evaluates a stored policy without exploration noise.</summary>
public sealed record EvalCommand(string Name, int Episodes, CheckpointChoice? Checkpoint, bool Json) : Command;

/// <summary>Films noise-free episodes of a stored policy.</summary>
/// <param name="File">The video; null is one in the run's folder that is named after the policy's step.</param>
/// <param name="Overwrite">Replace the file if there is one.</param>
public sealed record RecordCommand(string Name, CheckpointChoice? Checkpoint, int Episodes, VideoSize Size, string? File, bool Overwrite, bool Json) : Command;

/// <summary>Writes a stored policy for other programs.</summary>
/// <param name="File">The file; null is one in the current folder that is named after the run.</param>
/// <param name="Task">Of a cycle, the task whose head acts; null is the one that was learned at the policy's step.</param>
/// <param name="Overwrite">Replace the file if there is one.</param>
public sealed record ExportCommand(string Name, PolicyFormat Format, CheckpointChoice? Checkpoint, string? Task, string? File, bool Overwrite, bool Json) : Command;

/// <summary>Prints the digest of the state of a commit, the last one or the one before.</summary>
public sealed record DigestCommand(string Name, CheckpointChoice Of, bool Json) : Command;

/// <summary>Says whether two runs are the same run, and what differs first.</summary>
/// <param name="Name">The one.</param>
/// <param name="Other">The other.</param>
public sealed record CompareDigestCommand(string Name, string Other, bool Json) : Command;

/// <summary>Reads everything of runs and says what is damaged.</summary>
/// <param name="Names">Runs and sweeps; all runs of the folder when there is none.</param>
/// <param name="Deep">Read the replay memory and SQLite's pages too.</param>
public sealed record VerifyCommand(IReadOnlyList<string> Names, bool Deep, bool Json) : Command;

/// <summary>Does about a damaged run what can be done.</summary>
public sealed record RepairCommand(string Name) : Command;

/// <summary>Attacks small runs and compares them with runs that were left alone.</summary>
/// <param name="Seed">What the attacks follow from.</param>
/// <param name="Attacks">How many.</param>
/// <param name="Attack">One of them alone, by its number; null is all.</param>
/// <param name="Kinds">Which kinds of attacks.</param>
/// <param name="Minutes">Begin no attack after so many minutes; null is no limit.</param>
/// <param name="Parallel">Attacks at a time.</param>
/// <param name="Keep">Folder to keep all runs in; null is a temporary one, which stays only when an attack got through.</param>
public sealed record TortureCommand(
    long Seed, int Attacks, int? Attack, IReadOnlyList<string> Kinds, int? Minutes, int Parallel, string? Keep, bool Json) : Command
{
    /// <summary>Parts of the names of the runs to attack; empty is all runs.</summary>
    public IReadOnlyList<string> Scenarios { get; init; } = [];

    /// <summary>A plug-in to train on, as PATH.dll or PATH.dll#TYPE; null for none.</summary>
    public string? Plugin { get; init; }

    /// <summary>A server for journals, as given: with the login, never to be printed. Null uses NE_JOURNAL, or leaves those runs out.</summary>
    public string? Journal { get; init; }
}

/// <summary>Measures how fast copies of stored networks learn something new.</summary>
public sealed record ProbeCommand(string Name, CheckpointChoice Checkpoint, bool Json) : Command;

/// <summary>Shows the topology layer by layer at a gradient step; null is the newest.</summary>
public sealed record TopologyCommand(string Name, long? At, bool Json) : Command;

/// <summary>Compares runs in figures and tables.</summary>
/// <param name="Names">Runs and sweeps.</param>
/// <param name="Output">Folder of the report; null is one in the run or sweep that is named alone, or under `reports` of the runs' folder.</param>
/// <param name="At">Environment step to compare at; null is the length of the runs.</param>
/// <param name="HeatMaps">Runs whose gradients are drawn.</param>
/// <param name="References">CSV files with curves of others.</param>
public sealed record ReportCommand(IReadOnlyList<string> Names, string? Output, long? At, IReadOnlyList<string> HeatMaps, IReadOnlyList<string> References) : Command;

/// <summary>Packs a run, or a sweep with its runs, into one file.</summary>
/// <param name="File">The archive; null is one in the current folder that is named after the run.</param>
/// <param name="Overwrite">Replace the file if there is one.</param>
public sealed record ArchiveCommand(string Name, string? File, bool WithoutReplay, bool Videos, bool Overwrite) : Command;

/// <summary>Unpacks an archive among the runs.</summary>
/// <param name="Name">Another name for the run; null for its own.</param>
public sealed record RestoreCommand(string File, string? Name) : Command;

/// <summary>Deletes what runs need no more.</summary>
/// <param name="Names">Runs and sweeps; all runs when empty.</param>
/// <param name="Replay">The replay memory of complete runs too.</param>
/// <param name="Videos">Videos too.</param>
/// <param name="OlderThan">Only runs that nothing was stored of for so many days; null for all.</param>
/// <param name="States">Only runs in one of these states; empty for all.</param>
/// <param name="Yes">Delete; otherwise it is only said what would be deleted.</param>
public sealed record PruneCommand(IReadOnlyList<string> Names, bool Replay, bool Videos, int? OlderThan, IReadOnlyList<string> States, bool Yes) : Command;

/// <summary>Copies a run's journal to another database, which the run uses from then on.</summary>
/// <param name="To">sqlite, or a server's address.</param>
public sealed record JournalCopyCommand(string Name, string To) : Command;

/// <summary>Makes signals, queries and a dashboard in a Seq server, or says which.</summary>
/// <param name="Url">Address of the server; null uses NE_SEQ_URL.</param>
public sealed record SeqSetupCommand(string? Url, bool DryRun) : Command;

/// <summary>Lists the environments, as states or as pictures.</summary>
public sealed record EnvironmentListCommand(bool Pixels, bool Json) : Command;

/// <summary>Shows everything that is fixed about an environment.</summary>
/// <param name="Image">A file for a picture of a start state; null draws none.</param>
/// <param name="Size">Pixels of the picture.</param>
/// <param name="Overwrite">Replace the picture if there is one.</param>
public sealed record EnvironmentShowCommand(string Id, bool Pixels, string? Image, VideoSize Size, bool Overwrite, bool Json) : Command;

/// <summary>Tries an environment with random actions.</summary>
/// <param name="Steps">Steps to take; with pictures, those of an agent.</param>
/// <param name="Video">A video of it; null makes none.</param>
/// <param name="Overwrite">Replace the video if there is one.</param>
public sealed record EnvironmentRunCommand(string Id, long Steps, long Seed, bool Pixels, string? Video, VideoSize Size, bool Overwrite, bool Json) : Command;

/// <summary>Replays a reference file on our own task.</summary>
public sealed record EnvironmentReplayCommand(string File, bool Json) : Command;

/// <summary>Checks what a run needs on this machine.</summary>
public sealed record DoctorCommand(string? Seq, bool Json) : Command;

/// <summary>Shows the resolved configuration.</summary>
public sealed record ConfigShowCommand(ConfigurationArguments Configuration, ConfigurationFormat Format) : Command;

/// <summary>Documents every configuration key.</summary>
public sealed record ConfigSchemaCommand(bool Json) : Command;

/// <summary>Prints the script by which a shell completes words.</summary>
public sealed record CompletionCommand(string Shell) : Command;

/// <summary>Prints the words that can stand at the end of a line; what those scripts ask.</summary>
public sealed record CompleteCommand(string Line) : Command;

/// <summary>Runs the tests; the launcher does it, so the executable only says so.</summary>
public sealed record TestCommand : Command;

/// <summary>Makes packages; the launcher does it, so the executable only says so.</summary>
public sealed record PackCommand : Command;

/// <summary>Runs the benchmarks; the launcher does it, so the executable only says so.</summary>
public sealed record BenchCommand : Command;

/// <summary>How `ne config show` prints.</summary>
public enum ConfigurationFormat
{
    /// <summary>A table with derived values and their rules.</summary>
    Table,

    /// <summary>A file that `--config` reads.</summary>
    Yaml,

    /// <summary>One object, key to value.</summary>
    Json,
}
