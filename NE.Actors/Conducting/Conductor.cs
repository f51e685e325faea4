using Akka.Actor;
using NE.Actors.Cast;
using NE.Actors.Environments;

namespace NE.Actors.Conducting;

/// <summary>The actors of a run that a conductor gives credit to.</summary>
internal sealed record RunCast(IActorRef Self, IActorRef Learner, IActorRef Replay, IReadOnlyList<IActorRef> Environments);

/// <summary>A conductor's message to itself: the round had nothing in it.</summary>
internal sealed record RoundPassed;

/// <summary>
/// A schedule: says who may step and who may learn, from one barrier to the next. Everything else about a run is the same for all of them.
/// </summary>
internal interface IConductor
{
    /// <summary>Rows [first, head) of the replay memory at the last barrier.</summary>
    long Head { get; }

    /// <summary>Environment steps stored so far, also between barriers.</summary>
    long Steps { get; }

    long GradientSteps { get; }

    /// <summary>Leaves the barrier.</summary>
    void Release();

    /// <summary>Asks for a barrier as soon as there can be one.</summary>
    void Drain();

    /// <summary>Takes an answer of the cast. True when a barrier is reached: nothing is in flight and the book is advanced.</summary>
    bool Take(RoundStepped stepped);

    bool Take(RoundAppended appended);

    bool Take(Learned learned);

    bool Take(RoundPassed passed);

    /// <summary>An environment is up again: gives it the round that its failure lost.</summary>
    void Repeat(int environment);
}
