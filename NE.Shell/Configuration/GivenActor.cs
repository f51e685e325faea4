using NE.Actors.Configuration;
using NE.Actors.Environments;
using NE.Actors.Environments.Catalogue;
using NE.Actors.Exports;
using NE.Actors.RunDirectory;
using NE.Actors.Storage;
using NE.Model;
using NE.Model.Agents;
using NE.Shell.Host;

namespace NE.Shell.Configuration;

/// <summary>An actor in a file that a new run begins with.</summary>
/// <param name="Path">Of the file, as given.</param>
/// <param name="Bytes">Of the file, as it was read once.</param>
internal sealed record GivenActor(string Path, byte[] Bytes, SafetensorsFile File)
{
    /// <summary>Null for null. Throws a <see cref="UserError"/> for a file that cannot be read or is not one of tensors.</summary>
    public static GivenActor? Read(string? path)
    {
        try
        {
            return path is null ? null : Of(path, SafetensorsFile.ReadBytes(path));
        }
        catch (Exception problem) when (problem is IOException or UnauthorizedAccessException or InvalidDataException)
        {
            throw new UserError(problem.Message);
        }
    }

    /// <summary>Throws a <see cref="UserError"/> unless the configuration's actor can begin with it.</summary>
    public void RequireFit(Settings settings, EnvironmentSpec spec)
    {
        using ILearner learner = TaskLearner.Create(settings, EnvironmentCycle.Of(settings.Run.Environment), spec, task: 0);

        try
        {
            learner.Adopt(this.File.Tensors);
        }
        catch (ArgumentException problem)
        {
            throw new UserError($"{this.Path} cannot be the actor of this run. {problem.Sentence()}");
        }
    }

    /// <summary>Copies it into the run's directory, where the run finds it until its first commit.</summary>
    public void Keep(RunPaths paths) => DurableFile.WriteBytes(paths.Actor, this.Bytes);

    /// <summary>Where it comes from, and whether its actions had other bounds.</summary>
    public void Say(ShellHost host, EnvironmentSpec spec)
    {
        string origin = this.File.Metadata.TryGetValue("run", out string? run) && this.File.Metadata.TryGetValue("task", out string? task)
            ? $"the actor of '{run}', learned on {task}"
            : "an actor of unknown origin";
        host.Output.WriteLine($"actor        {this.Path}: {origin}");

        if (!this.IsInBoundsOf(spec))
        {
            host.Output.WriteLine("note: that actor's actions had other bounds; its tanh now covers those of this environment");
        }
    }

    private static GivenActor Of(string path, byte[] bytes) => new(path, bytes, SafetensorsFile.Parse(bytes, path));

    private bool IsInBoundsOf(EnvironmentSpec spec)
    {
        (float[] scale, float[] offset) = PolicyExport.ActionBounds(spec);
        return IsOrLacks(PolicyExport.ScaleName, scale) && IsOrLacks(PolicyExport.OffsetName, offset);
    }

    private bool IsOrLacks(string name, float[] expected) => !this.File.Tensors.TryGetValue(name, out GivenTensor? found) || found.Values.SequenceEqual(expected);
}
