using NE.Actors.Environments.External;
using NE.Actors.MuJoCo;
using NE.Model;

namespace NE.Actors.Environments.Catalogue;

/// <summary>A reset and a step of an environment that this program does not ship, and of one that saves its state a save, a restore and a step
/// after it, before a run is made for it: what would fail every episode, or the first checkpoint, fails here.</summary>
internal static class FirstSteps
{
    /// <summary>Throws EnvironmentUnusableException with what went wrong.</summary>
    /// <param name="id">What the user called it.</param>
    internal static void Take(IEnvironment environment, string id)
    {
        var spec = environment.Spec;
        var observation = new float[spec.ObservationSize];
        var action = spec.ActionLow.Zip(spec.ActionHigh, (low, high) => 0.5f * low + 0.5f * high).ToArray();
        var what = "reset";
        try
        {
            Reset(0);
            what = "step";
            var result = environment.Step(action, observation);
            if (result.Diverged)
            {
                throw new EnvironmentUnusableException(Sentence(
                    "The simulation diverged: its state left the numbers, or its contacts did not fit into the memory that the model gives them "
                    + "(<size nconmax=\"...\" njmax=\"...\"/>, or memory=\"...\" from MuJoCo 2.3.0 on)."));
            }

            if (!spec.SavesState)
            {
                return;
            }

            if (result.IsLast)
            {
                what = "reset after an episode";
                Reset(1);
            }

            what = "save of its state";
            var state = environment.SaveState();
            what = "restore of its state";
            Array.Fill(observation, float.NaN);
            environment.RestoreState(state, observation);
            FiniteNumbers.Require(spec.Id, observation);
            what = "step after a restore";
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

        void Reset(long episode)
        {
            // Numbers that an environment forgets to write stay none.
            Array.Fill(observation, float.NaN);
            environment.Reset(Draws.At(0, Purpose.Reset, 0, episode, 0), observation);
            FiniteNumbers.Require(spec.Id, observation);
        }

        string Sentence(string reason) => $"The environment {id} was tried before the run is made, and its first {what} failed. {reason}";
    }
}
