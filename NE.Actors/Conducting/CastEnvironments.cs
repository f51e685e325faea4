using System.Diagnostics;
using Akka.Actor;
using Akka.Event;
using NE.Actors.Cast;
using NE.Actors.Environments;
using NE.Actors.Instruments;
using NE.Actors.Runs;
using NE.Model.Networks;
using NE.Model.Runs;

namespace NE.Actors.Conducting;

/// <summary>
/// The environments of a run: their actors, one incarnation after the other, and the blocks that travel between them and the replay memory. Part of
/// <see cref="RunCast"/>, so it belongs to the run's actor.
/// </summary>
internal sealed class CastEnvironments
{
    private readonly IActorRefFactory context;
    private readonly IActorRef run;
    private readonly Func<EnvironmentStart, IEnvironmentListener, IEnvironmentHost> hosts;
    private readonly StatusBoard board;
    private readonly ActivityContext trace;
    private readonly ILoggingAdapter log;
    private readonly Seat[] seats;

    /// <summary>Of all seats, in their order: what a round hands over.</summary>
    private readonly TransitionBlock[] blocks;

    /// <summary>Makes the actors.</summary>
    /// <param name="run">Hears of them.</param>
    /// <param name="trace">The span of this process's work on the run.</param>
    public CastEnvironments(IActorContext context, IActorRef run, RunRequest request, OpenedRun opened, StatusBoard board, ActivityContext trace)
    {
        (this.context, this.run, this.hosts, this.board) = (context, run, request.EnvironmentHosts, board);
        (this.trace, this.log) = (trace, context.GetLogger());
        var steps = Conductor.stepsAtOnce(request.Settings);
        this.seats =
        [
            .. opened.Starts.Select(start => new Seat(new TransitionBlock(start.Index, opened.Layout, steps))
            {
                Start = start,
                Actor = this.Start(start, $"environment-{start.Index}"),
            }),
        ];
        this.blocks = [.. this.seats.Select(seat => seat.Block)];
    }

    public int Count => this.seats.Length;

    /// <summary>Makes a round that <see cref="Step"/> sends.</summary>
    public void Prepare(int environment, Assignment steps, Policy policy)
    {
        var seat = this.seats[environment];
        seat.Prepared = new StepRound(steps.Step, steps.Stride, steps.Steps, policy, seat.Block);
    }

    public void Step(int environment) => this.seats[environment].Actor.Tell(this.seats[environment].Prepared);

    public void CaptureAll()
    {
        foreach (var seat in this.seats)
        {
            seat.Actor.Tell(new CaptureEnvironment());
        }
    }

    public void Capture(int environment) => this.seats[environment].Actor.Tell(new CaptureEnvironment());

    /// <summary>The blocks with these rows, in the order of their environments.</summary>
    public TransitionBlock[] BlocksOf(Rows rows) => rows is Rows.OfEnvironment only ? [this.blocks[only.environment]] : this.blocks;

    public Input Take(EnvironmentReady ready)
    {
        var seat = this.seats[ready.Environment];
        seat.Restarting.End();
        // The state that it went on from is used up.
        seat.Start = seat.Start with { Restored = null };
        return Input.NewEnvironmentReady(ready.Environment, ready.Episode);
    }

    public Input Take(EnvironmentFailed failed)
    {
        var seat = this.seats[failed.Environment];
        seat.Error = failed.Error;
        seat.Restarting.Fail(failed.Error.Message);
        return Input.NewEnvironmentFailed(failed.Environment, failed.Error.Message);
    }

    public Input Take(RoundStepped stepped)
    {
        var block = stepped.Block;
        if (block.Divergences > 0)
        {
            this.log.Warning(
                "The simulation of environment {Index} diverged, so its episode ended early ({Divergences} in this round); the run goes on",
                block.Environment, block.Divergences);
        }
        var episodes = block.Episodes.ToArray();
        this.board.EpisodesEnded(episodes);
        return Input.NewStepped(new SteppedRound(block.Environment, episodes, block.Episode, block.Divergences));
    }

    /// <summary>Another incarnation, with an actor of its own.</summary>
    public void Restart(Order.RestartEnvironment restart)
    {
        var seat = this.seats[restart.environment];
        var (index, number, reason) = (seat.Start.Index, seat.Start.Incarnation, seat.Error?.Message);
        seat.Restarting = RunSpan.Begin("environment restart", this.trace)
            .Tag("Index", index).Tag("Restart", number).Tag("Reason", reason).Tag("Pause", restart.pause.TotalSeconds);
        using var scope = seat.Restarting.Enter();
        if (reason is not null && reason == seat.Told)
        {
            this.log.Warning(
                "Environment {Index} failed in the same way and starts again in {Pause:0.0} s (restart {Restart})", index, restart.pause.TotalSeconds, number);
        }
        else
        {
            this.log.Warning(
                seat.Error, "Environment {Index} failed and starts again in {Pause:0.0} s (restart {Restart}): {Reason}", index, restart.pause.TotalSeconds, number, reason);
            seat.Told = reason;
        }

        seat.Start = seat.Start with { Incarnation = number + 1, Episode = restart.episode, Pause = restart.pause };
        seat.Actor = this.Start(seat.Start, $"environment-{index}-{seat.Start.Incarnation}");
    }

    /// <summary>Nothing will end what is under way.</summary>
    /// <param name="reason">One sentence.</param>
    public void FailSpans(string reason)
    {
        foreach (var seat in this.seats)
        {
            seat.Restarting.Fail(reason);
        }
    }

    private IActorRef Start(EnvironmentStart start, string name) =>
        this.context.ActorOf(Props.Create(() => new EnvironmentActor(this.run, start, this.hosts)), name);

    /// <summary>One environment of the run, whichever incarnation it is in.</summary>
    private sealed class Seat(TransitionBlock block)
    {
        public TransitionBlock Block => block;

        /// <summary>How the newest incarnation began.</summary>
        public required EnvironmentStart Start { get; set; }

        /// <summary>Of the newest incarnation.</summary>
        public required IActorRef Actor { get; set; }

        /// <summary>Its next round, or its last one; null before the first.</summary>
        public StepRound? Prepared { get; set; }

        /// <summary>That ended the incarnation before.</summary>
        public Exception? Error { get; set; }

        /// <summary>Reason of a failure that the log has in full.</summary>
        public string? Told { get; set; }

        /// <summary>From the order to begin anew to the first word of the next incarnation.</summary>
        public RunSpan Restarting { get; set; }
    }
}
