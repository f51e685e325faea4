using NE.Shell.Reports;
using NE.Shell.Reports.Compare.Data;

namespace NE.Shell.Serving.Data;

/// <summary>Where the runs of a page come from. Every member may be called by several threads; a run may be going on while it is read.</summary>
internal interface IRunSource
{
    /// <summary>Shown as the title, such as the folder.</summary>
    string Place { get; }

    /// <summary>All runs in a few words each, by name; damaged ones among them.</summary>
    IReadOnlyList<RunSummary> Runs();

    /// <summary>All sweeps, by name.</summary>
    IReadOnlyList<SweepSummary> Sweeps();

    /// <summary>Names of all runs.</summary>
    IReadOnlyList<string> Names();

    /// <summary>What of a run has changed since another stamp was taken shows in other values: kind ("run", "eval", "metrics" ...) to a text.</summary>
    IReadOnlyDictionary<string, string> Stamp(string name);

    /// <summary>Curves of the runs of these names, a panel for each task, seeds of one configuration together.</summary>
    /// <param name="names">Runs; null for all.</param>
    /// <param name="measure">"return", or a column of metrics.csv.</param>
    /// <param name="points">Points per curve at most.</param>
    IReadOnlyList<CurvePanel> Curves(IReadOnlyList<string>? names, string measure, int points);

    /// <summary>What the page of one run begins with.</summary>
    /// <exception cref="Actors.RunDirectory.RunFolderException">There is no such run.</exception>
    RunDetails Run(string name);

    /// <summary>Columns of one of a run's tables over its first column.</summary>
    /// <exception cref="Actors.RunDirectory.RunFolderException">There is no such run.</exception>
    Series Series(string name, SeriesRequest request);

    /// <summary>The topology events of a run up to its last checkpoint, oldest first; without the weights that they changed.</summary>
    /// <exception cref="Actors.RunDirectory.RunFolderException">There is no such run.</exception>
    IReadOnlyList<TopologyEventSummary> TopologyEvents(string name);

    /// <summary>The masks after one of these events.</summary>
    /// <param name="name">The run.</param>
    /// <param name="index">Index among the events; -1 for the masks before the first.</param>
    /// <exception cref="Actors.RunDirectory.RunFolderException">There is no such run.</exception>
    /// <exception cref="Actors.Storage.DamagedCheckpointException">The masks cannot be read.</exception>
    TopologyFrame? Topology(string name, int index);

    /// <summary>Lines of a run's log.</summary>
    /// <param name="name">The run.</param>
    /// <param name="before">Byte of the log to read back from; null for its end.</param>
    /// <exception cref="Actors.RunDirectory.RunFolderException">There is no such run.</exception>
    LogPage Log(string name, long? before);

    /// <summary>The stored configuration by key, in order.</summary>
    /// <exception cref="Actors.RunDirectory.RunFolderException">There is no such run.</exception>
    IReadOnlyList<ConfigurationLine> Configuration(string name);

    /// <summary>The file of a video; null when the run has none of this name.</summary>
    /// <exception cref="Actors.RunDirectory.RunFolderException">There is no such run.</exception>
    string? Video(string name, string file);
}

/// <summary>A run in a few words.</summary>
/// <param name="Name">Its name.</param>
/// <param name="State">running, killed, interrupted, failed, completed or damaged.</param>
/// <param name="Reason">Why it was interrupted or failed, or what is damaged; null otherwise.</param>
/// <param name="Task">As run.environment.</param>
/// <param name="Method">The agent in short.</param>
/// <param name="Seed">Of all random streams.</param>
/// <param name="Step">Environment step of its newest row.</param>
/// <param name="Steps">Length of the run.</param>
/// <param name="SecondsLeft">Of a running one; null while that is unknown.</param>
/// <param name="StepsPerSecond">Of a running one.</param>
/// <param name="Return">Mean return of the newest evaluation.</param>
/// <param name="ActorDensity">Active weights of the actor over all; null before the first measurement.</param>
/// <param name="Resumes">How often it was resumed.</param>
/// <param name="Started">UTC time of its first start.</param>
/// <param name="Sweep">The sweep that it is a cell of; null for others.</param>
internal sealed record RunSummary(
    string Name,
    string State,
    string? Reason,
    string Task,
    string Method,
    long Seed,
    long Step,
    long Steps,
    double? SecondsLeft,
    double? StepsPerSecond,
    double? Return,
    double? ActorDensity,
    int Resumes,
    DateTimeOffset? Started,
    string? Sweep);

/// <summary>A sweep in a few words.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Description">One line for people; may be empty.</param>
/// <param name="IsWorking">A process works on it.</param>
/// <param name="Problem">Why its files cannot be read; null when they can.</param>
/// <param name="Cells">Its runs, those that have not begun among them.</param>
internal sealed record SweepSummary(string Name, string Description, bool IsWorking, string? Problem, IReadOnlyList<CellSummary> Cells);

/// <param name="Name">The run's name.</param>
/// <param name="Label">The arm of the comparison.</param>
/// <param name="State">waiting, running, interrupted, failed or complete; in a search also paused or dropped.</param>
/// <param name="Error">Why it failed; null when it did not.</param>
internal sealed record CellSummary(string Name, string Label, string State, string? Error);

/// <summary>Curves on one task.</summary>
/// <param name="Task">Its id.</param>
/// <param name="Arms">In the order of their labels.</param>
internal sealed record CurvePanel(string Task, IReadOnlyList<CurveArm> Arms);

/// <summary>Runs that differ in their seed alone.</summary>
/// <param name="Label">What it is called.</param>
/// <param name="Index">Position among all labels of the page: decides colour and line.</param>
/// <param name="IsEvidence">Whether there are seeds enough for a band.</param>
/// <param name="Mean">Mean and standard deviation over seeds, as far as enough of them have got.</param>
/// <param name="Seeds">The runs themselves; without their curves where there is a band.</param>
/// <param name="Measured">Runs that have a curve.</param>
internal sealed record CurveArm(string Label, int Index, bool IsEvidence, IReadOnlyList<SpreadPoint> Mean, IReadOnlyList<SeedCurve> Seeds, int Measured);

/// <param name="Name">The run's name.</param>
/// <param name="Seed">Its seed.</param>
/// <param name="Steps">Environment steps.</param>
/// <param name="Values">One per step.</param>
internal sealed record SeedCurve(string Name, long Seed, double[] Steps, double[] Values);

/// <summary>What the page of one run begins with.</summary>
/// <param name="Summary">In a few words.</param>
/// <param name="Report">What `ne status` says; null for a damaged one.</param>
/// <param name="Command">As it was started.</param>
/// <param name="Marks">Steps at which it was resumed, an environment was restarted or a key was changed.</param>
/// <param name="Checkpoints">Environment steps of its commits.</param>
/// <param name="Phases">The phases of a cycle: step and task; empty for a run of one task.</param>
/// <param name="Columns">Names of the columns of each table, by table.</param>
/// <param name="Videos">Names of files, oldest first.</param>
internal sealed record RunDetails(
    RunSummary Summary,
    RunReport? Report,
    string Command,
    IReadOnlyList<Mark> Marks,
    IReadOnlyList<long> Checkpoints,
    IReadOnlyList<PhaseMark> Phases,
    IReadOnlyDictionary<string, IReadOnlyList<string>> Columns,
    IReadOnlyList<string> Videos);

/// <param name="Step">Environment step at which it began.</param>
/// <param name="Task">Its id.</param>
internal sealed record PhaseMark(long Step, string Task);

/// <param name="Table">eval, metrics, timing or topology.</param>
/// <param name="Columns">What to read beside the table's first column.</param>
/// <param name="From">From this step on.</param>
/// <param name="To">Up to this step.</param>
/// <param name="Points">Points per column at most.</param>
internal sealed record SeriesRequest(string Table, IReadOnlyList<string> Columns, double From, double To, int Points);

/// <summary>Columns of a table, each with steps of its own: where rows were left out, each keeps its own extremes.</summary>
/// <param name="Rows">Rows between the asked steps.</param>
/// <param name="Columns">One curve per column, in the order asked for; NaN where the table has no value.</param>
internal sealed record Series(int Rows, IReadOnlyList<SeriesColumn> Columns);

/// <param name="Name">Of the column.</param>
/// <param name="Steps">Values of the table's first column.</param>
/// <param name="Values">One per step.</param>
internal sealed record SeriesColumn(string Name, double[] Steps, double[] Values);

/// <param name="GradientStep">When.</param>
/// <param name="Network">"actor" or "critic".</param>
/// <param name="Grown">Weights activated, over all layers.</param>
/// <param name="Pruned">Weights deactivated.</param>
/// <param name="Touched">Neurons re-initialised.</param>
/// <param name="Dormant">Dormant neurons when it was planned.</param>
/// <param name="OutputShift">How far it moved the network's output, in standard deviations of that output.</param>
internal sealed record TopologyEventSummary(long GradientStep, string Network, int Grown, int Pruned, int Touched, int Dormant, double OutputShift);

/// <summary>The masks of all networks after an event.</summary>
/// <param name="Index">Of the event; -1 before the first.</param>
/// <param name="Event">What happened; null before the first.</param>
/// <param name="Layers">By network, stack and layer.</param>
internal sealed record TopologyFrame(int Index, TopologyEventSummary? Event, IReadOnlyList<LayerFrame> Layers);

/// <summary>The mask of one layer.</summary>
/// <param name="Network">"actor" or "critic".</param>
/// <param name="Stack">0; 0 and 1 for twin critics.</param>
/// <param name="Layer">Linear layer within the stack, 0 is the first.</param>
/// <param name="Outputs">Rows of the weight matrix.</param>
/// <param name="Inputs">Columns of the weight matrix.</param>
/// <param name="Active">Active weights.</param>
/// <param name="Dormant">Dormant neurons among its outputs when its newest event so far was planned; null before the first.</param>
/// <param name="Mask">Weight i, row-major, is bit i % 8 of byte i / 8.</param>
/// <param name="Grown">Weights that this event activated.</param>
/// <param name="Pruned">Weights that it deactivated.</param>
/// <param name="Touched">Neurons that it re-initialised.</param>
internal sealed record LayerFrame(string Network, int Stack, int Layer, int Outputs, int Inputs, int Active, int? Dormant, byte[] Mask, int[] Grown, int[] Pruned, int[] Touched);

/// <summary>Some lines of a log, oldest first.</summary>
/// <param name="From">Byte of the first; 0 when there is nothing older.</param>
/// <param name="To">Byte behind the last.</param>
/// <param name="Lines">What they say.</param>
internal sealed record LogPage(long From, long To, IReadOnlyList<LogLine> Lines);

/// <param name="At">Byte of the log at which it begins.</param>
/// <param name="Time">UTC, as written.</param>
/// <param name="Level">Verbose, Debug, Information, Warning, Error or Fatal.</param>
/// <param name="Text">The message with its values.</param>
/// <param name="Exception">With its trace; null when there is none.</param>
internal sealed record LogLine(long At, string Time, string Level, string Text, string? Exception);

/// <param name="Key">Of the configuration.</param>
/// <param name="Value">As stored.</param>
/// <param name="Default">What a run that does not name it has; may be "auto".</param>
/// <param name="IsGiven">Whether file, option or command line named it.</param>
internal sealed record ConfigurationLine(string Key, string Value, string Default, bool IsGiven);
