namespace NE.Actors.RunDirectory;

/// <summary>Where everything of one run lies. Pure: creates and reads nothing.</summary>
/// <param name="Root">Full path of runs/NAME.</param>
public sealed record RunPaths(string Root)
{
    /// <exception cref="RunFolderException">The name cannot be a run's.</exception>
    public static RunPaths Of(string runsFolder, string name) => new(Path.GetFullPath(Path.Combine(runsFolder, RunName.Validate(name))));

    public string Name => Path.GetFileName(this.Root);

    public string RunsFolder => Path.GetDirectoryName(this.Root)!;

    public string RunInfo => this.At("run.json");

    public string Lock => this.At("run.lock");

    public string Configuration => this.At("config.yaml");

    public string ConfigurationDifference => this.At("config.diff.yaml");

    public string Command => this.At("command.txt");

    public string Journal => this.At("journal.db");

    public string Snapshots => this.At("snapshots.db");

    /// <summary>Says that the journal has had a commit, so that one that is lost is not taken for that of a run that has not begun.</summary>
    public string Committed => this.At("committed");

    public string Blobs => this.At("blobs");

    public string Replay => this.At("replay");

    /// <summary>Says that the replay memory was given up; other runs have no such file.</summary>
    public string DroppedReplay => this.At("replay.dropped.json");

    /// <summary>What the actor began with, where it came from a file; other runs have no such file.</summary>
    public string Actor => this.At("actor.safetensors");

    public string Metrics => this.At("metrics.csv");

    public string Layers => this.At("layers.csv");

    public string Evaluations => this.At("eval.csv");

    public string Topology => this.At("topology.csv");

    /// <summary>The phases of a cycle; other runs have no such file.</summary>
    public string Phases => this.At("phases.csv");

    public string Timing => this.At("timing.csv");

    public string TensorBoard => this.At("tensorboard");

    /// <summary>The event file. TensorBoard wants "tfevents" in its name; the digits stand where others write a time, so that it is found again.</summary>
    public string Events => Path.Combine(this.TensorBoard, "events.out.tfevents.0000000000.ne");

    public string Logs => this.At("logs");

    public string Log => Path.Combine(this.Logs, "run.clef");

    public string Report => this.At("report");

    public string Video => this.At("video");

    /// <summary>The video of the policy of a step.</summary>
    /// <param name="ending">The format, such as .mp4.</param>
    public string VideoOf(long step, string ending) => Path.Combine(this.Video, $"step-{step}{ending}");

    private string At(string name) => Path.Combine(this.Root, name);
}
