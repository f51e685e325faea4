namespace NE.Actors.MuJoCo;

/// <summary>A self-test at load: a small model with odd sizes and numbers is compiled, read through the layout and stepped once, so that a
/// library whose memory differs from the table is refused instead of read wrongly. Every field of the table has a witness here, except those of
/// mjrContext, which need OpenGL: `Renderer` checks them when it makes one. Takes a few milliseconds.</summary>
internal static class MuJoCoCanary
{
    /// <summary>Throws MuJoCoUnavailableException when the library is not what the table says.</summary>
    internal static void Check(MuJoCoLibrary library)
    {
        var witness = new CanaryWitness(library);
        try
        {
            using var model = MuJoCoModel.FromXml(library, "canary", CanaryModel.Xml);
            CanaryModel.Check(witness, model);
            using var rungeKutta = MuJoCoModel.FromXml(library, "canary", CanaryModel.RungeKuttaXml);
            witness.Expect("integrator", (false, true), (model.IsRungeKutta, rungeKutta.IsRungeKutta));
            using var simulator = new Simulator(model);
            CanaryMotion.Check(witness, simulator);
            CanaryPicture.Check(witness, simulator);
        }
        catch (Exception problem) when (problem is ModelCompileException or PhysicsDivergedException or OverflowException or EntryPointNotFoundException)
        {
            throw witness.Refusal(problem.Message);
        }
    }
}

/// <summary>Compares what is found in the library's memory with what must be there.</summary>
internal sealed class CanaryWitness(MuJoCoLibrary library)
{
    internal void Expect<T>(string what, T expected, T found)
    {
        if (!EqualityComparer<T>.Default.Equals(expected, found))
        {
            throw this.Refusal($"{what} should be {expected} and is {found}");
        }
    }

    /// <summary>To 9 digits, give or take 1e-9.</summary>
    internal void Near(string what, double expected, double found) => this.Near(what, expected, found, 1e-9);

    internal void Near(string what, double expected, double found, double tolerance)
    {
        // Written so that NaN fails.
        if (!(Math.Abs(expected - found) <= tolerance * Math.Max(1, Math.Abs(expected))))
        {
            throw this.Refusal($"{what} should be {expected:R} and is {found:R}");
        }
    }

    internal void Near(string what, ReadOnlySpan<double> expected, ReadOnlySpan<double> found)
    {
        for (var i = 0; i < expected.Length; i++)
        {
            this.Near($"{what}, number {i},", expected[i], found[i]);
        }
    }

    internal MuJoCoUnavailableException Refusal(string difference) =>
        new($"The MuJoCo library {library.Path} says it is version {library.Version}, but it does not behave as the layout that is known of it: {difference.TrimEnd('.')}. "
            + $"Install Debian's libmujoco2.2.2, or set MUJOCO_PATH to that library or to another version; known are {MuJoCoLayouts.KnownNames}.");
}
