using System.Collections.Concurrent;
using System.Reflection;
using NE.Model;

namespace NE.Actors.Environments.Plugins;

/// <summary>An environment of a class in somebody else's assembly: a public class with a public constructor without parameters that implements
/// `IEnvironment`, and `IRenderable` if it can be looked at.</summary>
internal sealed class PluginEnvironment : IEnvironment, IRenderable
{
    private static readonly ConcurrentDictionary<string, (Assembly Assembly, EnvironmentFingerprint Fingerprint)> loaded = new();
    private static readonly Lock loading = new();

    private readonly IEnvironment inner;

    /// <param name="inner">Owned from now on.</param>
    /// <param name="spec">Its spec, with the fingerprint of its assembly.</param>
    internal PluginEnvironment(IEnvironment inner, EnvironmentSpec spec)
    {
        this.inner = inner;
        this.Spec = spec;
    }

    public EnvironmentSpec Spec { get; }

    public bool? IsInverted => this.inner.IsInverted;

    public bool Renders => this.inner is IRenderable { Renders: true };

    public double? SecondsPerStep => (this.inner as IRenderable)?.SecondsPerStep;

    /// <summary>Loads the assembly once per process and makes an environment. Throws EnvironmentUnusableException.</summary>
    internal static PluginEnvironment Create(EnvironmentId.Plugin id)
    {
        var file = Path.GetFullPath(id.Path);
        var (assembly, fingerprint) = Load(file);
        var type = Choose(Candidates(assembly, file), id, file);
        IEnvironment? inner = null;
        try
        {
            inner = (IEnvironment)Activator.CreateInstance(type)!;
            var spec = inner.Spec;
            Check(spec, type);
            return new PluginEnvironment(inner, spec with { Fingerprint = fingerprint });
        }
        catch (Exception problem) when (problem is not EnvironmentUnusableException)
        {
            inner?.Dispose();
            var cause = problem is TargetInvocationException { InnerException: { } thrown } ? thrown : problem;
            throw new EnvironmentUnusableException(
                $"The environment {type.FullName} of the plug-in {file} could not be made: {cause.GetType().Name}: {cause.Message}", cause);
        }
        catch
        {
            inner?.Dispose();
            throw;
        }
    }

    public void Reset(Draws draws, Span<float> observation)
    {
        this.inner.Reset(draws, observation);
        FiniteNumbers.Require(this.Spec.Id, observation);
    }

    public StepResult Step(ReadOnlySpan<float> action, Span<float> observation)
    {
        var result = this.inner.Step(action, observation);
        FiniteNumbers.Require(this.Spec.Id, observation);
        FiniteNumbers.RequireReward(this.Spec.Id, result.Reward);
        return result;
    }

    public byte[] SaveState() => this.inner.SaveState();

    public void RestoreState(ReadOnlySpan<byte> state, Span<float> observation) => this.inner.RestoreState(state, observation);

    public void Render(int width, int height, Span<byte> rgb)
    {
        if (this.inner is not IRenderable { Renders: true } view)
        {
            throw new NotSupportedException($"The environment {this.Spec.Id} does not render.");
        }

        view.Render(width, height, rgb);
    }

    public void Dispose() => this.inner.Dispose();

    private static (Assembly Assembly, EnvironmentFingerprint Fingerprint) Load(string file)
    {
        lock (loading)
        {
            if (loaded.TryGetValue(file, out var known))
            {
                return known;
            }

            try
            {
                var fingerprint = EnvironmentFingerprint.Of(("the plug-in", File.ReadAllBytes(file)));
                return loaded[file] = (new PluginContext(file).LoadFromAssemblyPath(file), fingerprint);
            }
            catch (Exception problem) when (problem is IOException or UnauthorizedAccessException or BadImageFormatException or InvalidOperationException)
            {
                throw new EnvironmentUnusableException($"The plug-in {file} cannot be loaded: {problem.Message}", problem);
            }
        }
    }

    private static List<Type> Candidates(Assembly assembly, string file)
    {
        try
        {
            return [.. assembly.GetExportedTypes().Where(type =>
                type is { IsClass: true, IsAbstract: false } && typeof(IEnvironment).IsAssignableFrom(type) && type.GetConstructor([]) is not null)];
        }
        catch (Exception problem) when (problem is FileNotFoundException or FileLoadException or TypeLoadException)
        {
            throw new EnvironmentUnusableException(
                $"The plug-in {file} does not fit this program; build it against this NE.Actors.dll and put its own libraries beside it: {problem.Message}", problem);
        }
    }

    private static Type Choose(List<Type> candidates, EnvironmentId.Plugin id, string file)
    {
        const string Expected = "a public class with a public constructor without parameters that implements NE.Actors.Environments.IEnvironment";
        var names = string.Join(", ", candidates.Select(type => type.FullName));
        if (candidates.Count == 0)
        {
            throw new EnvironmentUnusableException($"Expected {Expected} in the plug-in {file}, found none.");
        }

        if (id.Type is null)
        {
            return candidates.Count == 1
                ? candidates[0]
                : throw new EnvironmentUnusableException(
                    $"The plug-in {file} has {candidates.Count} environments ({names}); say which one: plugin:{id.Path}#{candidates[0].FullName}");
        }

        if (candidates.FirstOrDefault(type => type.FullName == id.Type) is { } found)
        {
            return found;
        }

        var near = Nearest.ranked(1, id.Type, candidates.Select(type => type.FullName!));
        var hint = near.IsEmpty ? "" : $"; did you mean {near.Head}?";
        throw new EnvironmentUnusableException($"The plug-in {file} has no environment '{id.Type}'{hint} It has {names}; expected is {Expected}.");
    }

    private static void Check(EnvironmentSpec spec, Type type)
    {
        if (spec.ObservationSize < 1 || spec.ActionSize < 1 || spec.TimeLimit < 1
            || spec.ActionLow.Length != spec.ActionSize || spec.ActionHigh.Length != spec.ActionSize)
        {
            throw new EnvironmentUnusableException(
                $"The spec of {type.FullName} contradicts itself: expected at least one number in observations and actions, one lower and one upper bound per "
                + $"action, and a time limit above 0; found {Counted.Of(spec.ObservationSize, "observation")}, {Counted.Of(spec.ActionSize, "action")}, {spec.ActionLow.Length} lower and "
                + $"{Counted.Of(spec.ActionHigh.Length, "upper bound")}, time limit {spec.TimeLimit}.");
        }
    }
}
