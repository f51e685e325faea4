namespace NE.Actors.Environments;

/// <summary>Where one environment of a run lives: a thread of this process, or another machine. One round at a time; whatever fails is said once
/// to the listener, and then nothing more is done.</summary>
public interface IEnvironmentHost : IDisposable
{
    /// <summary>Brings the simulator up. The listener hears nothing before.</summary>
    void Begin();

    /// <summary>Takes the steps of a round and hands the block back filled.</summary>
    void Step(StepRound round);

    /// <summary>Between rounds: hands out everything that a resume restores. One that is not up yet says nothing.</summary>
    void Capture();
}

/// <summary>Who hears of an environment, on any thread.</summary>
public interface IEnvironmentListener
{
    /// <summary>The simulator is up and in this episode.</summary>
    void Ready(long episode);

    void Stepped(TransitionBlock block);

    void Captured(byte[] state);

    /// <summary>The simulator is lost, and so is what it was doing.</summary>
    void Failed(Exception error);
}
