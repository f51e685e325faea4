using System.Collections.Concurrent;
using NE.Actors.Environments.External;
using NE.Actors.Environments.Plugins;
using NE.Actors.Environments.TaskFiles;
using NE.Model;
using NE.Model.Replay;
using NE.Model.Tasks;

namespace NE.Actors.Environments.Catalogue;

/// <summary>Creates environments by id: our own tasks, task files, plug-ins and external programs (`EnvironmentId`).</summary>
public static class EnvironmentFactory
{
    /// <summary>Programs take seconds to start, so each is asked once.</summary>
    private static readonly ConcurrentDictionary<string, EnvironmentSpec> described = new();

    /// <summary>A new environment, with its own simulator or process, whose actions have one symmetric bound. Throws ArgumentException for an
    /// unknown id (naming the nearest), EnvironmentUnusableException for an environment of one's own that is not as it must be,
    /// MuJoCoUnavailableException when there is no usable MuJoCo.</summary>
    public static IEnvironment Create(string id) => Create(id, ExternalPatience.Default);

    /// <param name="patience">How long an external program may take.</param>
    public static IEnvironment Create(string id, ExternalPatience patience) => RescaledEnvironment.Fitted(CreateAsItIs(id, patience));

    /// <summary>What an environment will look like to the agent. Of our own tasks it needs no MuJoCo; an external program is started and ended
    /// the first time that a process asks.</summary>
    public static EnvironmentSpec Describe(string id) => Describe(id, ExternalPatience.Default);

    /// <param name="patience">How long an external program may take.</param>
    public static EnvironmentSpec Describe(string id, ExternalPatience patience)
    {
        switch (EnvironmentId.Parse(id))
        {
            case EnvironmentId.BuiltIn task:
                return RescaledEnvironment.Fitted(MuJoCoEnvironment.Describe(Find(task.Id).Info));
            case EnvironmentId.TaskFile path:
                var file = TaskFile.Load(path.Path);
                return RescaledEnvironment.Fitted(MuJoCoEnvironment.Describe(file.Task.Info) with { Fingerprint = file.Fingerprint });
            case EnvironmentId.Cycle:
                return EnvironmentCycle.Of(id)!.Whole;
            case EnvironmentId.External program when described.TryGetValue(program.Text, out var known):
                return known;
            case var other:
                using (var environment = Create(id, patience))
                {
                    return other is EnvironmentId.External asked ? described[asked.Text] = environment.Spec : environment.Spec;
                }
        }
    }

    /// <summary>A new environment in the form that a configuration's learner sees: numbers, or pictures.</summary>
    /// <param name="settings">Resolved.</param>
    /// <param name="id">The configuration's environment, or one of its tasks.</param>
    public static IEnvironment Create(Settings settings, string id) => SettingsModule.pictures(settings) is { } form
        ? CreatePixels(id, form.Shape, form.ActionRepeat)
        : Create(id, ExternalPatience.Of(settings));

    /// <summary>What it will look like.</summary>
    public static EnvironmentSpec Describe(Settings settings, string id) => SettingsModule.pictures(settings) is { } form
        ? DescribePixels(id, form.Shape, form.ActionRepeat)
        : Describe(id, ExternalPatience.Of(settings));

    /// <summary>What it will look like. One that this program does not ship makes a reset and a step first; an external program once per process.</summary>
    public static EnvironmentSpec Try(Settings settings, string id)
    {
        var parsed = EnvironmentId.Parse(id);
        var isSeen = SettingsModule.pictures(settings) is not null;
        var isTried = parsed is EnvironmentId.TaskFile || (parsed is EnvironmentId.Plugin or EnvironmentId.External && !isSeen && !described.ContainsKey(parsed.Text));
        if (!isTried)
        {
            return Describe(settings, id);
        }

        // In numbers, where the agent sees pictures too: those need OpenGL, which the machine of a dry run may lack.
        using (var environment = Create(id, ExternalPatience.Of(settings)))
        {
            FirstSteps.Take(environment, id);
            if (parsed is EnvironmentId.External)
            {
                described[parsed.Text] = environment.Spec;
            }
        }

        return Describe(settings, id);
    }

    /// <summary>Everything that is fixed about a task of ours or of a task file; null for a plug-in or a program, of which only the spec is known.
    /// Throws ArgumentException for an unknown id, EnvironmentUnusableException for a task file that is not as it must be.</summary>
    public static TaskInfo? TaskOf(string id) => EnvironmentId.Parse(id) switch
    {
        EnvironmentId.BuiltIn task => Find(task.Id).Info,
        EnvironmentId.TaskFile file => TaskFile.Load(file.Path).Task.Info,
        _ => null,
    };

    /// <summary>A new environment whose observations are pictures, with DrQ-v2's defaults. Its renderer is made at the first reset.</summary>
    public static PixelEnvironment CreatePixels(string id) => CreatePixels(id, PixelDefaults.Shape, PixelDefaults.ActionRepeat);

    /// <summary>A new environment whose observations are pictures of a shape of one's own. Throws EnvironmentUnusableException for an environment
    /// that is not simulated here.</summary>
    public static PixelEnvironment CreatePixels(string id, PixelShape shape, int actionRepeat)
    {
        DescribeSeen(id);
        return new PixelEnvironment((MuJoCoEnvironment)CreateAsItIs(id, ExternalPatience.Default), shape, actionRepeat);
    }

    /// <summary>What a pixel environment will look like. Of our own tasks it needs neither MuJoCo nor OpenGL.</summary>
    public static EnvironmentSpec DescribePixels(string id, PixelShape shape, int actionRepeat) =>
        PixelEnvironment.Describe(DescribeSeen(id), shape, actionRepeat);

    private static IEnvironment CreateAsItIs(string id, ExternalPatience patience)
    {
        switch (EnvironmentId.Parse(id))
        {
            case EnvironmentId.BuiltIn task:
                return new MuJoCoEnvironment(Find(task.Id));
            case EnvironmentId.TaskFile path:
                var file = TaskFile.Load(path.Path);
                return new MuJoCoEnvironment(file.Task, file.Model, file.Fingerprint);
            case EnvironmentId.Plugin plugin:
                return PluginEnvironment.Create(plugin);
            case EnvironmentId.External program:
                return new ExternalEnvironment(program.Command, patience);
            case EnvironmentId.Cycle cycle:
                throw new EnvironmentUnusableException($"{cycle.Text} is several tasks; give one of them: {string.Join(", ", cycle.Tasks)}.");
            default:
                throw new InvalidOperationException($"no code makes the environment '{id}'");
        }
    }

    /// <summary>The spec of an environment whose pictures can be drawn here.</summary>
    private static EnvironmentSpec DescribeSeen(string id) =>
        EnvironmentId.Parse(id) is EnvironmentId.BuiltIn or EnvironmentId.TaskFile
            ? Describe(id)
            : throw new EnvironmentUnusableException($"Pictures can be observed of our own tasks and of task files; {id} is neither.");

    private static ITask Find(string id)
    {
        var found = Registry.find(id);
        return found.IsOk ? found.ResultValue : throw new ArgumentException(found.ErrorValue, nameof(id));
    }
}
