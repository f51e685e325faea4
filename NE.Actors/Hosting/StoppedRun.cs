using System.Globalization;
using NE.Actors.Checkpoints;
using NE.Actors.Configuration;
using NE.Actors.Environments;
using NE.Actors.Environments.Catalogue;
using NE.Actors.Integrity;
using NE.Actors.Journal;
using NE.Actors.MuJoCo;
using NE.Actors.RunDirectory;
using NE.Actors.Runs;
using NE.Actors.Storage;
using NE.Actors.Stores;
using NE.Model;

namespace NE.Actors.Hosting;

/// <summary>How a stopped run is to go on.</summary>
/// <param name="From">The checkpoint to go on from.</param>
/// <param name="OnOtherMuJoCo">Episodes of another version of MuJoCo may be given up.</param>
public sealed record ResumeTerms(ResumeFrom From = ResumeFrom.Latest, bool OnOtherMuJoCo = false);

/// <summary>A run in its directory that no process works on, held by this one until it is disposed.</summary>
public sealed class StoppedRun : IDisposable
{
    private readonly RunFolder folder;
    private readonly StoredRunInfo found;
    private readonly StoredConfiguration configuration;
    private bool isHandedOver;

    private StoppedRun(RunFolder folder, StoredRunInfo found, StoredConfiguration configuration) =>
        (this.folder, this.found, this.configuration) = (folder, found, configuration);

    /// <summary>Where it lies.</summary>
    public RunPaths Paths => this.folder.Paths;

    /// <summary>run.json, or what the journal knows of it.</summary>
    public RunInfo Info => this.found.Info;

    /// <summary>As it has stored them.</summary>
    public Settings Settings => this.configuration.Settings;

    /// <summary>Takes a run's lock and reads what it is; brings databases in order that a killed process left.</summary>
    /// <exception cref="RunFolderException">There is no such run, another process works on it, or it gave its replay memory up.</exception>
    /// <exception cref="ConfigurationException">Neither config.yaml nor the journal has its configuration.</exception>
    public static StoppedRun Open(string runsFolder, string name)
    {
        DroppedReplay.Refuse(RunFolder.Find(runsFolder, name), "resumed");
        RunFolder folder = RunFolder.Open(runsFolder, name);

        try
        {
            SqliteRecovery.Recover(folder.Paths);
            return new StoppedRun(folder, StoredRunInfo.Of(folder.Paths), StoredConfiguration.Read(folder.Paths));
        }
        catch
        {
            folder.Dispose();
            throw;
        }
    }

    /// <summary>Makes it ready to go on. Whatever is refused leaves the run as it was.</summary>
    /// <param name="settings">The stored ones with changes, as <see cref="ConfigurationLayers.Change"/> makes them.</param>
    /// <param name="terms">How it goes on.</param>
    /// <param name="prepare">Loads native libraries and names their versions: <see cref="RunPrerequisites.Load"/>.</param>
    /// <returns>Holds the run in place of this.</returns>
    /// <exception cref="RunFolderException">It is complete, its new length is too short, it lacks the checkpoint, or MuJoCo is another version.</exception>
    /// <exception cref="EnvironmentUnusableException">The environment cannot be had.</exception>
    public ReadyRun GoOn(Settings settings, ResumeTerms terms, Preparation prepare)
    {
        // config.yaml is ahead of the journal when a resume with changed keys ended before they were recorded: then this one has to record them.
        Settings recorded = StoredConfiguration.Recorded(this.Paths) ?? this.Settings;
        (string Key, string Old, string New)[] changes = [.. SettingsModule.difference(recorded, settings).Select(change => (change.Item1, change.Item2, change.Item3))];
        long committed = this.CommittedStep(terms.From);
        this.RequireLength(settings, committed, terms.From);
        IReadOnlyDictionary<string, string> versions = prepare(settings.Compute, draws: settings.Run.Learner.SeesPixels);
        bool onOtherMuJoCo = this.MayHaveOtherMuJoCo(terms, settings, versions);
        // A missing file or a broken program is said before the run is touched.
        EnvironmentSpec environment = EnvironmentFactory.Describe(settings, settings.Run.Environment);
        IDisposable journal = JournalServer.Hold(this.Paths);

        try
        {
            string[] madeAnew = [.. RunMending.MakeAnew(this.Paths, this.found, this.configuration, writeInfo: false)];
            string yaml = StoredConfiguration.Text(settings);

            if (changes.Length > 0)
            {
                DurableFile.WriteText(this.Paths.Configuration, yaml);
            }

            RunRequest request = new()
            {
                Paths = this.Paths,
                Settings = settings,
                ConfigurationText = yaml,
                Versions = versions,
                From = terms.From,
                Changes = changes,
                OnOtherMuJoCo = onOtherMuJoCo,
            };
            this.isHandedOver = true;
            return new ReadyRun(request, this.Info, committed, journal, this.folder) { MadeAnew = madeAnew, Environment = environment };
        }
        catch
        {
            journal.Dispose();
            throw;
        }
    }

    public void Dispose()
    {
        if (!this.isHandedOver)
        {
            this.folder.Dispose();
        }
    }

    private static string Count(long value) => value.ToString("N0", CultureInfo.InvariantCulture);

    private static string Steps(long value) => $"{Count(value)} {(value == 1 ? "step" : "steps")}";

    private void RequireLength(Settings settings, long committed, ResumeFrom from)
    {
        long length = this.Settings.Run.Steps;

        // A round may end past run.steps, and the last evaluation may still be to come: only a new length can be too short.
        if (settings.Run.Steps < committed && settings.Run.Steps != length)
        {
            throw new RunFolderException(
                $"run.steps = {Count(settings.Run.Steps)} is less than the {Steps(committed)} that the run '{this.Paths.Name}' goes on from, and a run cannot be shortened. "
                + $"Give at least {committed}, or leave it out: its length is {Count(length)}");
        }

        // Going back to the checkpoint before gives a complete run something to do.
        if (from is ResumeFrom.Latest && JournalReader.IsComplete(this.Paths, settings.Run.Steps))
        {
            throw new RunFolderException($"the run '{this.Paths.Name}' has done all its {Steps(committed)}; to extend it: ne resume {this.Paths.Name} {Longer(settings, committed)}");
        }
    }

    /// <summary>What gives a complete run something to do: more steps, or one more cycle.</summary>
    private static string Longer(Settings settings, long committed)
    {
        if (!TaskCycle.isCycle(settings.Run.Environment))
        {
            return $"--steps {committed * 2}";
        }

        int cycles = settings.Cycle.Cycles + 1;
        return $"cycle.cycles={cycles} --steps {settings.Run.Steps / settings.Cycle.Cycles * cycles}";
    }

    /// <summary>Whether episodes of another version of MuJoCo may be given up: when that was asked for, or was in a stretch before whose first commit may
    /// not have come.</summary>
    /// <exception cref="RunFolderException">The version is another one than before and nobody asked for that.</exception>
    private bool MayHaveOtherMuJoCo(ResumeTerms terms, Settings settings, IReadOnlyDictionary<string, string> versions)
    {
        const string name = "MuJoCo";
        string[] before = [.. this.Info.Stretches.Select(stretch => stretch.Versions.GetValueOrDefault(name)).OfType<string>()];

        if (!terms.OnOtherMuJoCo && before is [.., var last] && versions.GetValueOrDefault(name) is { } now && now != last && IsOnMuJoCo(settings))
        {
            throw new RunFolderException(
                $"the run '{this.Paths.Name}' is on MuJoCo {last}, and the library here is {now}, with which the same actions lead elsewhere. Let MUJOCO_PATH name {last} (unset, it is {MuJoCoLibrary.ReferenceVersion}), "
                + $"or go on with {now}: ne resume {this.Paths.Name} --other-mujoco. Then the episodes under way begin anew, and the run is not the one that stayed on {last}");
        }

        return terms.OnOtherMuJoCo || before.Distinct().Skip(1).Any();
    }

    /// <summary>Whether we simulate it ourselves. A plug-in or a program may do so too, with what library only it knows.</summary>
    private static bool IsOnMuJoCo(Settings settings) =>
        EnvironmentId.Parse(settings.Run.Environment) is EnvironmentId.BuiltIn or EnvironmentId.TaskFile or EnvironmentId.Cycle;

    /// <summary>Step of the checkpoint that the run goes on from; 0 when it was killed before its first.</summary>
    /// <exception cref="InvalidDataException">The run has committed, and its journal has no commit.</exception>
    private long CommittedStep(ResumeFrom from)
    {
        using JournalReader? journal = JournalReader.TryOpen(this.Paths);
        IReadOnlyList<CheckpointManifest> checkpoints = journal?.Manifests() ?? [];

        if (RunExamination.LostJournal(this.Paths, checkpoints) is { } lost)
        {
            throw new InvalidDataException($"The run '{this.Paths.Name}' is left as it is. {lost} To give it up: ne train ... --name {this.Paths.Name} --overwrite");
        }

        if (from is ResumeFrom.Previous)
        {
            return checkpoints switch
            {
                [_, var previous, ..] => previous.Step,
                [var only] => throw new RunFolderException(
                    $"the run '{this.Paths.Name}' has one checkpoint alone, of step {Count(only.Step)}, so there is no previous one; to go on from it: ne resume {this.Paths.Name}"),
                _ => throw new RunFolderException($"the run '{this.Paths.Name}' has no checkpoint yet; to begin it: ne resume {this.Paths.Name}"),
            };
        }

        return checkpoints.FirstOrDefault()?.Step ?? 0;
    }
}
