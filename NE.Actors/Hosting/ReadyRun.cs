using NE.Actors.Configuration;
using NE.Actors.Environments;
using NE.Actors.RunDirectory;
using NE.Actors.Runs;
using NE.Actors.Storage;

namespace NE.Actors.Hosting;

/// <summary>
/// A run that is described on disk and may begin, or go on, in this process, which holds it until this is disposed. What works on it says so in
/// run.json by <see cref="Begin"/> and <see cref="End"/>.
/// </summary>
public sealed class ReadyRun : IDisposable
{
    private readonly IReadOnlyList<IDisposable> held;
    private readonly RunInfo before;
    private RunInfo? running;

    /// <param name="request">What to run.</param>
    /// <param name="before">run.json without the stretch to come.</param>
    /// <param name="fromStep">Environment step that it goes on from; 0 for a new run.</param>
    /// <param name="held">Released in this order when it is disposed.</param>
    internal ReadyRun(RunRequest request, RunInfo before, long fromStep, params IReadOnlyList<IDisposable> held) =>
        (this.Request, this.before, this.FromStep, this.held) = (request with { RunId = before.Id }, before, fromStep, held);

    /// <summary>What to run; whoever starts it may add to it.</summary>
    public RunRequest Request { get; set; }

    /// <summary>Of run.json.</summary>
    public string Id => this.before.Id;

    /// <summary>The starts and resumes before, oldest first.</summary>
    public IReadOnlyList<RunStretch> Stretches => this.before.Stretches;

    /// <summary>Environment step that it goes on from; 0 for a new run.</summary>
    public long FromStep { get; }

    /// <summary>Files that were damaged and are made anew, a sentence for each.</summary>
    public IReadOnlyList<string> MadeAnew { get; internal init; } = [];

    /// <summary>What the agent sees of the environment.</summary>
    public required EnvironmentSpec Environment { get; init; }

    /// <summary>Creates the directory of a new run and stores what it is.</summary>
    /// <param name="runsFolder">Created when absent.</param>
    /// <param name="name">Letters, digits, '.', '-', '_'.</param>
    /// <param name="description">What the run is.</param>
    /// <param name="overwrite">Delete a run of that name first, unless a process works on it.</param>
    /// <exception cref="RunFolderException">The name is bad or taken; nothing was created.</exception>
    public static ReadyRun Create(string runsFolder, string name, RunDescription description, bool overwrite)
    {
        RunFolder folder = RunFolder.Create(runsFolder, name, overwrite);

        try
        {
            RunPaths paths = folder.Paths;
            string yaml = StoredConfiguration.Text(description.Settings);
            DurableFile.WriteText(paths.Configuration, yaml);
            File.WriteAllText(paths.ConfigurationDifference, description.Difference);
            File.WriteAllText(paths.Command, description.Command + "\n");
            RunRequest request = new() { Paths = paths, Settings = description.Settings, ConfigurationText = yaml, Versions = description.Versions };
            RunInfo info = RunInfo.Of(Guid.NewGuid().ToString("N"), name, description.Settings) with { Journal = description.Journal };
            return new ReadyRun(request, info, 0, folder) { Environment = description.Environment };
        }
        catch
        {
            folder.Dispose();
            throw;
        }
    }

    /// <summary>Says in run.json that this process works on it from now on.</summary>
    /// <param name="now">UTC.</param>
    public void Begin(DateTimeOffset now)
    {
        Settings settings = this.Request.Settings;
        this.running = this.before with
        {
            Status = RunState.Running,
            StatusReason = null,
            TotalSteps = settings.Run.Steps,
            Threads = settings.Compute.Threads.Value,
            Device = settings.Compute.Device,
            Engine = NE.Model.SettingsModule.tryFind("compute.engine")!.Get.Invoke(settings),
            Stretches =
            [
                .. this.before.Stretches,
                new RunStretch(now, this.FromStep, System.Environment.MachineName, System.Environment.ProcessId, this.Request.Versions, Hardware.Description),
            ],
        };
        this.running.Write(this.Request.Paths.RunInfo);
    }

    /// <summary>A run that was stopped while it was still reading its checkpoint has lost nothing.</summary>
    public RunOutcome Corrected(RunOutcome outcome) => outcome with { Step = Math.Max(outcome.Step, this.FromStep) };

    /// <summary>Says in run.json how this process's work on it ended.</summary>
    /// <exception cref="IOException">What ended the run, such as a full disk, may keep run.json from being written too.</exception>
    public void End(RunOutcome outcome)
    {
        RunState state = outcome.Phase switch
        {
            RunPhase.Completed => RunState.Completed,
            RunPhase.Interrupted => RunState.Interrupted,
            _ => RunState.Failed,
        };
        (this.running! with { Status = state, StatusReason = outcome.Message }).Write(this.Request.Paths.RunInfo);
    }

    public void Dispose()
    {
        foreach (IDisposable resource in this.held)
        {
            resource.Dispose();
        }
    }
}

/// <summary>What a new run is, beside its name.</summary>
public sealed record RunDescription
{
    /// <summary>Resolved and validated, with absolute paths.</summary>
    public required Settings Settings { get; init; }

    /// <summary>The keys that differ from the defaults or a preset, as YAML, for people.</summary>
    public required string Difference { get; init; }

    /// <summary>A command that begins the same run.</summary>
    public required string Command { get; init; }

    /// <summary>What the agent sees of the environment.</summary>
    public required EnvironmentSpec Environment { get; init; }

    /// <summary>Versions by name, as <see cref="RunPrerequisites.Load"/> gives them.</summary>
    public required IReadOnlyDictionary<string, string> Versions { get; init; }

    /// <summary>The server for its journal; null for journal.db in its folder.</summary>
    public JournalPlace? Journal { get; init; }
}
