using System.Globalization;
using System.Text.Json;
using NE.Actors.Checkpoints;
using NE.Actors.Configuration;
using NE.Actors.Environments;
using NE.Actors.Environments.Catalogue;
using NE.Actors.Exports;
using NE.Actors.Hosting;
using NE.Actors.Journal;
using NE.Actors.RunDirectory;
using NE.Model;
using NE.Model.Agents;
using NE.Model.Networks;
using NE.Shell.Commands;
using NE.Shell.Host;

namespace NE.Shell.Verbs;

/// <summary>`ne export`</summary>
internal static class ExportVerb
{
    public static ExitCode Export(ExportCommand command, ShellHost host)
    {
        string file = command.File ?? $"{command.Name}{PolicyFile.Ending(command.Format)}";
        TargetFile.RequireFree(file, PolicyFile.Ending(command.Format), command.Overwrite);
        RunPaths paths = RunFolder.Find(command.Runs, command.Name);
        RunInfo info = StoredRunInfo.Of(paths).Info;
        Settings settings = StoredPolicy.SettingsOf(paths);
        (long step, Policy policy, LoadedCheckpoint? checkpoint) = StoredPolicy.Load(paths, command.Checkpoint);
        EnvironmentSpec task;

        if (EnvironmentCycle.Of(info.Environment) is { } cycle)
        {
            StoredPolicy.RequireFit(policy, paths, cycle.Whole);
            int learned = StoredPolicy.TaskOf(paths, cycle, step);
            int chosen = command.Task is { } id ? TaskNamed(id, cycle) : learned;
            task = cycle.Tasks[chosen];
            policy = chosen == learned ? policy : PolicyOf(chosen, settings, cycle, checkpoint, paths);
        }
        else if (command.Task is { } id)
        {
            throw new UserError($"--task chooses a task of a cycle; '{paths.Name}' learned {info.Environment} alone, not {id}");
        }
        else
        {
            task = EnvironmentFactory.Describe(settings, info.Environment);
            StoredPolicy.RequireFit(policy, paths, task);
        }

        PolicyExport export = PolicyExport.Of(policy, task, Provenance(info, settings, task, step, policy, checkpoint));
        PolicyFile.Write(file, command.Overwrite, command.Format, export, OwnVersion.Text);
        Say(command, host, file, paths.Name, step, task, export);
        return ExitCode.Ok;
    }

    private static int TaskNamed(string id, EnvironmentCycle cycle)
    {
        string[] tasks = [.. cycle.Tasks.Select(task => task.Id)];
        int index = Array.IndexOf(tasks, id);
        return index >= 0 ? index : throw new UserError($"--task expects one of the cycle's tasks ({string.Join(", ", tasks)}), found '{id}'");
    }

    /// <summary>The policy that acts on another task than the one that is being learned: its head is part of the learner's state.</summary>
    private static Policy PolicyOf(int task, Settings settings, EnvironmentCycle cycle, LoadedCheckpoint? checkpoint, RunPaths paths)
    {
        if (checkpoint is null)
        {
            throw new UserError(
                $"the best policy of '{paths.Name}' is stored with the head of the task that it was learned on alone; for another task: --checkpoint last --task {cycle.Tasks[task].Id}");
        }

        using ILearner learner = TaskLearner.Create(settings, cycle, cycle.Whole, task);
        learner.Restore(CheckpointReader.Learner(checkpoint));
        learner.SwitchTask(task);
        return learner.Policy();
    }

    private static Dictionary<string, string> Provenance(
        RunInfo info, Settings settings, EnvironmentSpec task, long step, Policy policy, LoadedCheckpoint? checkpoint)
    {
        var provenance = new Dictionary<string, string>
        {
            ["task"] = task.Id,
            ["method"] = MethodModule.show(settings.Run.Method),
            ["learner"] = LearnerKindModule.nameOf(settings.Run.Learner),
            ["run"] = info.Name,
            ["run_id"] = info.Id,
            ["seed"] = info.Seed.ToString(CultureInfo.InvariantCulture),
            ["step"] = step.ToString(CultureInfo.InvariantCulture),
            ["actor_updates"] = policy.Version.ToString(CultureInfo.InvariantCulture),
            ["ne_version"] = OwnVersion.Text,
        };

        if (checkpoint is not null)
        {
            provenance["state_digest"] = StateDigest.Of(checkpoint.Manifest).State;
        }

        return provenance;
    }

    private static void Say(ExportCommand command, ShellHost host, string file, string run, long step, EnvironmentSpec task, PolicyExport export)
    {
        string path = Path.GetFullPath(file);

        if (command.Json)
        {
            var json = new { run, environment = task.Id, step, format = command.Format, file = path, bytes = new FileInfo(file).Length, metadata = export.Metadata };
            host.Output.WriteLine(JsonSerializer.Serialize(json, Json.Options));
            return;
        }

        host.Output.WriteLine($"{path}: {Format.Bytes(new FileInfo(file).Length)}, the policy of '{run}' at step {Format.Count(step)} for {task.Id}");
        host.Output.WriteLine($"  observation  {export.Metadata["observation"]}");
        host.Output.WriteLine($"  action       {export.Metadata["action"]}, from {export.Metadata["action_low"]} to {export.Metadata["action_high"]}");
    }
}
