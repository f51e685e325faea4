using NE.Actors.Cast;
using NE.Actors.Configuration;
using NE.Actors.Environments;
using NE.Actors.Environments.Catalogue;
using NE.Actors.Evaluation;
using NE.Actors.Journal;
using NE.Actors.MuJoCo;
using NE.Actors.Rendering;
using NE.Actors.RunDirectory;
using NE.Model;
using NE.Model.Networks;

namespace NE.Actors.Hosting;

/// <summary>
/// Runs from one's own program: start, resume, evaluate. A run of this class is a run of `ne`: every verb reads and resumes it, and with the same
/// keys it has the same bits. Log events go to Serilog's global logger, which is silent until it is set.
/// </summary>
public static class Training
{
    private const string EnvironmentKey = "run.environment";

    /// <summary>Begins a new run. Returns when its files are there and its actors start; it trains on threads of its own.</summary>
    /// <param name="folder">Holds runs, one folder each; created when absent.</param>
    /// <param name="name">The run's: letters, digits, '.', '-', '_'.</param>
    /// <param name="settings">Keys as `ne config show` lists them, such as run.environment, run.steps (environment steps), run.seed, learner.batchSize
    /// (transitions); each in its unit, as text in the invariant culture. A key that is not given has its default.</param>
    /// <param name="overwrite">Delete a run of that name first, unless a process works on it.</param>
    /// <exception cref="ConfigurationException">Lists every problem of the settings; nothing was created.</exception>
    /// <exception cref="RunFolderException">The name is bad or taken; nothing was created.</exception>
    /// <exception cref="EnvironmentUnusableException">The environment cannot be had, or is not as it must be.</exception>
    /// <exception cref="MuJoCoUnavailableException">libmujoco is not there; the message says where it was looked for.</exception>
    /// <exception cref="LibTorch.LibTorchException">The engine is torch, and libtorch is not there.</exception>
    /// <exception cref="RendererUnavailableException">The agent sees pictures, and no OpenGL works here.</exception>
    public static TrainingSession Start(string folder, string name, IReadOnlyDictionary<string, string> settings, bool overwrite = false)
    {
        (Settings resolved, string difference) = Resolved(settings);
        EnvironmentSpec environment = EnvironmentFactory.Try(resolved, resolved.Run.Environment);
        IReadOnlyDictionary<string, string> versions = RunPrerequisites.Load(resolved.Compute, draws: resolved.Run.Learner.SeesPixels);
        RequireAgent(resolved, environment);
        RunDescription description = new()
        {
            Settings = resolved,
            Difference = difference,
            Command = CommandText.Of(["train", "--name", name, .. Entries(settings).Select(entry => $"{entry.Key}={entry.Value}")]),
            Environment = environment,
            Versions = versions,
        };
        return Begin(ReadyRun.Create(folder, name, description, overwrite));
    }

    /// <summary>Goes on with a run from its last commit, in this process or after another one that was stopped or killed.</summary>
    /// <param name="folder">Holds runs.</param>
    /// <param name="name">The run's.</param>
    /// <param name="changes">Keys that are to change, such as run.steps; what the run is stays. Values that it has already are no change.</param>
    /// <exception cref="ConfigurationException">Lists every problem of the changes; the run is as it was.</exception>
    /// <exception cref="RunFolderException">There is no such run, a process works on it, or it has done all its steps.</exception>
    /// <exception cref="EnvironmentUnusableException">The environment cannot be had any more.</exception>
    /// <exception cref="MuJoCoUnavailableException">libmujoco is not there.</exception>
    /// <exception cref="LibTorch.LibTorchException">The engine is torch, and libtorch is not there.</exception>
    /// <exception cref="RendererUnavailableException">The agent sees pictures, and no OpenGL works here.</exception>
    public static TrainingSession Resume(string folder, string name, IReadOnlyDictionary<string, string>? changes = null)
    {
        using var stopped = StoppedRun.Open(folder, name);
        return Begin(GoOn(stopped, changes));
    }

    /// <summary>Begins a run that is not there, and goes on with one that is: for a program that is started again and again until the run is complete.</summary>
    /// <param name="folder">Holds runs; created when absent.</param>
    /// <param name="name">The run's.</param>
    /// <param name="settings">As for <see cref="Start"/>. Of a run that is there they must be its own, but for keys that may change.</param>
    /// <returns>Null when it has done all its steps.</returns>
    public static TrainingSession? StartOrResume(string folder, string name, IReadOnlyDictionary<string, string> settings)
    {
        if (!RunFolder.List(folder).Contains(name))
        {
            return Start(folder, name, settings);
        }

        using var stopped = StoppedRun.Open(folder, name);
        Settings changed = Changed(stopped, settings);
        return JournalReader.IsComplete(stopped.Paths, changed.Run.Steps) ? null : Begin(GoOn(stopped, changed));
    }

    /// <summary>Plays noise-free episodes of a stored policy on this thread, also of a run at work. Episode i starts in the same state at every call.</summary>
    /// <param name="folder">Holds runs.</param>
    /// <param name="name">The run's.</param>
    /// <param name="episodes">At least 1.</param>
    /// <param name="checkpoint">The checkpoint whose policy is meant; null is the policy of the best evaluation.</param>
    /// <exception cref="RunFolderException">There is no such run.</exception>
    /// <exception cref="InvalidDataException">It has no such policy yet, or the environment is another one now.</exception>
    public static PolicyEvaluation Evaluate(string folder, string name, int episodes = 10, CheckpointChoice? checkpoint = null)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(episodes, 1);
        RunPaths paths = RunFolder.Find(folder, name);
        RunInfo info = StoredRunInfo.Of(paths).Info;
        (long step, Policy policy, _) = StoredPolicy.Load(paths, checkpoint);
        RunPrerequisites.Load(null, draws: false);
        using IEnvironment environment = StoredPolicy.Environment(paths, info, step);
        StoredPolicy.RequireFit(policy, paths, environment.Spec);
        EpisodeResults results = StoredPolicy.Play(
            environment, () => StoredPolicy.Environment(paths, info, step), policy, info.Seed, episodes, StoredPolicy.LongestEpisode(paths, environment.Spec));
        return new PolicyEvaluation(step, results.Returns, results.Lengths);
    }

    /// <summary>The resolved settings of these keys, and how they differ from the defaults, as YAML.</summary>
    private static (Settings Settings, string Difference) Resolved(IReadOnlyDictionary<string, string> settings)
    {
        Machine machine = ThisMachine();
        var problems = new List<ConfigurationProblem>();
        var origins = new Dictionary<string, string>();
        Settings given = ConfigurationLayers.Apply(Entries(settings), SettingsModule.defaults, origins, problems);
        ConfigurationLayers.Check(given, EnvironmentId.Problem, machine, problems, origins);
        ConfigurationException.ThrowIfAny(problems);
        Settings resolved = SettingsModule.resolveOn(machine, given).Item1;
        return (resolved, ConfigurationWriter.DifferenceYaml(ConfigurationLayers.Baseline(SettingsModule.defaults, resolved, machine), "defaults", resolved));
    }

    /// <summary>A relative path of an environment is meant from this process's folder; another one may resume the run.</summary>
    private static ConfigurationEntry[] Entries(IReadOnlyDictionary<string, string> settings) =>
    [
        .. settings.Select(pair => new ConfigurationEntry(
            pair.Key,
            pair.Key == EnvironmentKey && EnvironmentId.Problem(pair.Value) is null ? EnvironmentId.Parse(pair.Value).In(Directory.GetCurrentDirectory()).Text : pair.Value,
            "")),
    ];

    private static Machine ThisMachine()
    {
        // Asked once: the engine is part of what the run is.
        var cuda = new Lazy<bool>(Engines.hasCuda);
        return new Machine(() => cuda.Value, System.Environment.ProcessorCount);
    }

    private static void RequireAgent(Settings settings, EnvironmentSpec environment)
    {
        try
        {
            TaskLearner.TryOut(settings, EnvironmentCycle.Of(settings.Run.Environment), environment);
        }
        catch (ArgumentException problem)
        {
            throw new ConfigurationException([new("", problem.Sentence())]);
        }
    }

    private static Settings Changed(StoppedRun stopped, IReadOnlyDictionary<string, string>? changes) =>
        ConfigurationLayers.Change(stopped.Settings, Entries(changes ?? new Dictionary<string, string>()), ThisMachine(), []);

    private static ReadyRun GoOn(StoppedRun stopped, IReadOnlyDictionary<string, string>? changes) => GoOn(stopped, Changed(stopped, changes));

    private static ReadyRun GoOn(StoppedRun stopped, Settings settings) => stopped.GoOn(settings, new ResumeTerms(), RunPrerequisites.Load);

    private static TrainingSession Begin(ReadyRun ready)
    {
        ready.Request = ready.Request with { Loggers = [SerilogLogger.TypeName] };
        return TrainingSession.Begin(ready);
    }
}

/// <summary>Noise-free episodes of a stored policy.</summary>
/// <param name="Step">Environment step of the run at which the policy was stored.</param>
/// <param name="Returns">Undiscounted return of each episode, in the task's unit of reward.</param>
/// <param name="Lengths">Steps of the agent of each episode: pixels.actionRepeat control steps each where it sees pictures.</param>
public sealed record PolicyEvaluation(long Step, IReadOnlyList<double> Returns, IReadOnlyList<int> Lengths)
{
    /// <summary>Of the returns.</summary>
    public double Mean => this.Returns.Average();

    /// <summary>Standard deviation of the returns about their mean (of these episodes, not of all that there could be).</summary>
    public double Deviation => Math.Sqrt(this.Returns.Average(value => (value - this.Mean) * (value - this.Mean)));
}
