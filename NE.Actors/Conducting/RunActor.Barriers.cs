using Akka.Actor;
using Akka.Event;
using NE.Actors.Cast;
using NE.Actors.Environments;
using NE.Actors.Journal;
using NE.Actors.Runs;
using NE.Actors.Telemetry;
using NE.Model.Runs;
using static NE.Model.History;

namespace NE.Actors.Conducting;

/// <summary>What a run does where nothing is in flight: deliver, commit, go on.</summary>
public sealed partial class RunActor
{
    /// <summary>After every answer of the cast: nothing happens between barriers.</summary>
    private void After(bool barrier, bool leaving = false)
    {
        if (this.IsOver)
        {
            return;
        }
        this.StopGoesOn();
        if (barrier)
        {
            this.stage = Stage.AwaitingEvaluations;
            this.AtBarrier();
        }
        else if (leaving)
        {
            this.Leave();
        }
    }

    /// <summary>Nothing is in flight. Delivers, commits and ends as far as it is due; waits (and is called again) where it must.</summary>
    private void AtBarrier()
    {
        var due = this.Due;
        var scheduled = due.Commit || due.Finished;
        if (!scheduled && this.stopReason is null)
        {
            this.Leave();
            return;
        }
        if (this.stage == Stage.AwaitingEvaluations)
        {
            // Only a scheduled commit delivers, so that a stop in between changes nothing in the order of the history.
            if (scheduled && !this.book.EvaluationsFinished)
            {
                return;
            }
            if (scheduled)
            {
                this.book.DeliverEvaluations();
            }
            this.stage = Stage.AwaitingCommit;
        }
        if (this.stage == Stage.AwaitingCommit && this.commitInFlight is null)
        {
            this.Capture(scheduled);
        }
    }

    private void Capture(bool scheduled)
    {
        this.stage = Stage.Capturing;
        this.board.PauseBegins();
        this.parts = new CommitParts(this.environments.Length, scheduled);
        this.learner.Tell(new CaptureLearner());
        this.telemetry.Tell(new MarkFiles());
        foreach (var environment in this.environments)
        {
            environment.Tell(new CaptureEnvironment());
        }
    }

    private void TakePart(Action<CommitParts> add)
    {
        if (this.parts is null || this.IsOver)
        {
            return;
        }
        this.StopGoesOn();
        add(this.parts);
        if (!this.parts.Complete)
        {
            return;
        }
        var phaseOver = this.Due.Finished;
        this.finished = phaseOver && !LedgerModule.isSwitchDue(this.settings, this.book.Ledger);
        if (this.finished)
        {
            this.book.Note(RunEvent.NewRunCompleted(this.book.Position.Steps));
        }
        else if (this.stopReason is { } reason)
        {
            this.book.Note(RunEvent.NewRunInterrupted(this.book.Position.Steps, reason));
        }
        var (state, events) = this.parts.Freeze(this.book, this.store!.Capture());
        this.parts = null;
        this.commitInFlight = this.nextId++;
        this.journal.Tell(new Commit(this.commitInFlight.Value, state, events));
        this.log.Debug("Checkpoint of step {CommittedStep} begins", state.Step);
        this.board.PauseEnds();
        if (phaseOver || this.stopReason is not null)
        {
            this.stage = Stage.Ending;
        }
        else
        {
            this.Leave();
        }
    }

    private void Leave()
    {
        this.stage = Stage.Running;
        this.clock.Skip();
        this.conductor.Release();
        if (this.stopReason is not null)
        {
            this.conductor.Drain();
        }
    }

    private void Take(RoundStepped stepped)
    {
        if (stepped.Block.Divergences > 0)
        {
            var start = this.starts[stepped.Block.Environment];
            start.Divergences += stepped.Block.Divergences;
            this.log.Warning(
                "The simulation of environment {Index} diverged, so its episode ended early ({Divergences} so far); the run goes on",
                start.Index, start.Divergences);
        }
        this.After(this.conductor.Take(stepped));
    }

    private void Take(Evaluated evaluated)
    {
        this.book.Finished(evaluated);
        this.log.Info(
            "Evaluation of step {EvaluatedStep}: mean return {MeanReturn:0.0} of {Episodes} episodes",
            evaluated.Step, evaluated.Results.Returns.Average(), evaluated.Results.Returns.Length);
        if (this.stage == Stage.AwaitingEvaluations)
        {
            this.AtBarrier();
        }
    }

    private void Take(Committed committed)
    {
        if (committed.Id != this.commitInFlight)
        {
            return;
        }
        this.commitInFlight = null;
        this.commitRetrying = false;
        this.board.Committed(committed.Step, committed.Bytes);
        this.telemetry.Tell(this.board.Timing());
        this.log.Info("Checkpoint of step {CommittedStep}: {Bytes} bytes in {Took:0.0} ms", committed.Step, committed.Bytes, committed.Took.TotalMilliseconds);
        switch (this.stage)
        {
            case Stage.AwaitingCommit:
                this.AtBarrier();
                break;
            case Stage.Ending when this.finished:
                this.End(new RunOutcome(RunPhase.Completed, null, committed.Step));
                break;
            case Stage.Ending when this.stopReason is not null:
                this.End(new RunOutcome(RunPhase.Interrupted, this.stopReason, committed.Step));
                break;
            case Stage.Ending:
                this.EndPhase();
                break;
            case Stage.Failing:
                this.FinishFailing();
                break;
        }
    }
}
