using Akka.Actor;
using Akka.Event;
using NE.Actors.Cast;
using NE.Actors.Journal;
using NE.Actors.Runs;
using static NE.Model.History;

namespace NE.Actors.Conducting;

/// <summary>How a run ends: complete, stopped, or failed.</summary>
public sealed partial class RunActor
{
    private void Stop(StopRun stop)
    {
        if (this.stage == Stage.Ended)
        {
            // Whoever waits for the last video does not want to any more.
            this.Report();
            return;
        }
        if (this.stopReason is not null)
        {
            return;
        }
        this.stopReason = stop.Reason;
        this.board.Stopping(stop.Reason);
        this.WatchTheStop();
        if (this.stage is Stage.Recovering or Stage.StartingEnvironments)
        {
            // Nothing was done that is not committed already.
            this.End(new RunOutcome(RunPhase.Interrupted, stop.Reason, this.board.Status.CheckpointStep ?? 0));
            return;
        }
        if (this.stage == Stage.Running)
        {
            this.conductor.Drain();
        }
    }

    private void WatchTheStop() => this.Timers.StartSingleTimer("stopping", new GiveUpStopping(), this.request.StopPatience);

    /// <summary>Whatever is heard on the way to the commit of a stop gives it its time anew.</summary>
    private void StopGoesOn()
    {
        if (this.stopReason is not null)
        {
            this.WatchTheStop();
        }
    }

    /// <summary>An evaluation that a stop waits for may take as long as it takes, while its episodes end.</summary>
    private void EvaluationGoesOn()
    {
        if (this.stage == Stage.AwaitingEvaluations)
        {
            this.StopGoesOn();
        }
    }

    /// <summary>
    /// A stop commits if it can. An environment that hangs, also in an evaluation, and a disk that takes nothing do not hold it up for ever.
    /// </summary>
    private void EndAtTheLastCommit()
    {
        if (this.stage is Stage.Running or Stage.AwaitingEvaluations or Stage.Capturing || (this.commitRetrying && this.stage is Stage.AwaitingCommit or Stage.Ending))
        {
            var step = this.board.Status.CheckpointStep ?? 0;
            this.log.Warning(
                "The run did not come to a commit within {Patience} s of the stop and ends at the last one, of step {CommittedStep}", this.request.StopPatience.TotalSeconds, step);
            this.End(new RunOutcome(RunPhase.Interrupted, this.stopReason, step));
            return;
        }
        if (!this.IsOver)
        {
            this.WatchTheStop();
        }
    }

    private void Pause(string reason)
    {
        this.log.Warning("The run waits for its storage: {Reason}", reason);
        this.board.Paused(reason);
    }

    /// <summary>Ends the run on an error that another attempt would meet again. The reason goes into the history if the journal still takes it.</summary>
    private void Fail(string reason)
    {
        if (this.IsOver)
        {
            return;
        }
        this.stage = Stage.Failing;
        this.log.Error("The run failed: {Reason}", reason);
        var step = this.board.Status.CheckpointStep ?? 0;
        this.failure = (this.nextId, reason);
        this.Record(RunEvent.NewRunFailed(step, reason));
        this.Timers.StartSingleTimer("failing", new GiveUpRecording(), RecordingPatience);
    }

    /// <summary>A failing run ends when its reason is recorded and a commit that was under way is done.</summary>
    private void FinishFailing()
    {
        if (this.failureRecorded && this.commitInFlight is null)
        {
            this.EndFailed();
        }
    }

    private void EndFailed()
    {
        if (this.failure is { } failing)
        {
            this.End(new RunOutcome(RunPhase.Failed, failing.Reason, this.board.Status.CheckpointStep ?? 0));
        }
    }

    private void End(RunOutcome outcome)
    {
        if (this.stage == Stage.Ended)
        {
            return;
        }
        this.Publish();
        this.stage = Stage.Ended;
        this.board.Ended(outcome);
        this.ended = outcome;
        this.ReportAfterVideo(outcome.Phase == RunPhase.Completed);
    }

    private void EndPhase()
    {
        this.Publish();
        this.stage = Stage.Ended;
        this.ReportAfterVideo(wait: true);
    }

    private void ReportAfterVideo(bool wait)
    {
        if (wait && !this.video.IsNobody())
        {
            this.video.Tell(new FinishVideo());
            this.Timers.StartSingleTimer("video", new VideoFinished(), VideoPatience);
            return;
        }
        this.Report();
    }

    /// <summary>The last word.</summary>
    private void Report() => Context.Parent.Tell(this.ended is { } outcome ? new RunEnded(outcome) : new PhaseEnded());

    private void Record(RunEvent happened) => this.journal.Tell(new RecordOperational(this.nextId++, happened));

    private void Publish()
    {
        if (this.conductor is not null && this.stage != Stage.Ended)
        {
            this.board.Publish(this.book, this.conductor, this.clock, this.starts, this.settings);
            if (this.published++ % PublishesPerTiming == 0)
            {
                this.telemetry.Tell(this.board.Timing());
            }
        }
    }
}
