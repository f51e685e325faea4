using NE.Actors.Environments.External;
using NE.Actors.MuJoCo;
using NE.Model;

namespace NE.Actors.Environments.Catalogue;

/// <summary>One reset and one step of an environment that this program does not ship, before a run is made for it: what would fail every
/// episode fails here.</summary>
internal static class FirstSteps
{
    /// <summary>Throws EnvironmentUnusableException with what went wrong.</summary>
    /// <param name="id">What the user called it.</param>
    internal static void Take(IEnvironment environment, string id)
    {
        var spec = environment.Spec;
        var observation = new float[spec.ObservationSize];
        // Numbers that an environment forgets to write stay none.
        Array.Fill(observation, float.NaN);
        var action = spec.ActionLow.Zip(spec.ActionHigh, (low, high) => 0.5f * low + 0.5f * high).ToArray();
        var what = "reset";
        try
        {
            environment.Reset(Draws.At(0, Purpose.Reset, 0, 0, 0), observation);
            FiniteNumbers.Require(spec.Id, observation);
            what = "step";
            environment.Step(action, observation);
        }
        catch (ExternalEnvironmentException problem)
        {
            // Which names the program.
            throw ExternalEnvironment.Unusable(problem, $"The first {what} failed, which was tried before the run is made. {problem.Message}");
        }
        catch (Exception problem) when (problem is not (EnvironmentUnusableException or MuJoCoUnavailableException or OperationCanceledException))
        {
            throw new EnvironmentUnusableException(Sentence($"{problem.GetType().Name}: {problem.Message}"), problem);
        }

        string Sentence(string reason) => $"The environment {id} was tried before the run is made, and its first {what} failed. {reason}";
    }
}
