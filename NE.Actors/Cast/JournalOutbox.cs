using Akka.Actor;
using NE.Actors.Journal;
using NE.Actors.RunDirectory;
using NE.Actors.Stores;
using NE.Model.Runs;

namespace NE.Actors.Cast;

/// <summary>
/// What the run talks to: keeps every message until the journal acknowledged it, starts the journal again with back-off when SQL failed,
/// resends in order, and tells a listener why it waits. One commit is under way at a time; operational events overtake it.
/// </summary>
/// <remarks>Messages: <see cref="Commit"/>, <see cref="RecordOperational"/>, <see cref="Rewind"/>, <see cref="GetRecovered"/>. A message that
/// can never be stored is answered with <see cref="Status.Failure"/>.</remarks>
public sealed class JournalOutbox : ReceiveActor, IWithTimers
{
    readonly IActorRef listener;
    readonly JournalSettings settings;
    readonly CommitWriter writer;
    readonly string persistenceId;
    readonly PostgresLease? lease;
    readonly LinkedList<Pending> pending = [];
    readonly List<IActorRef> askers = [];
    IActorRef? child;
    bool ready;
    long? firstFreeId;
    string lastReason = "The journal stopped.";
    bool displaced;
    readonly Patience journalPatience;

    public JournalOutbox(RunPaths run, IActorRef listener, JournalSettings settings)
    {
        (this.listener, this.settings) = (listener, settings);
        this.writer = CommitWriter.Of(run);
        (this.persistenceId, this.lease) = (JournalStore.Of(run).PersistenceId, PostgresLease.Of(run));
        this.journalPatience = new Patience(settings);

        this.Receive<Commit>(m => this.Accept(m.Id, m));
        this.Receive<Rewind>(m => this.Accept(m.Id, m));
        this.Receive<RecordOperational>(m => RunEvents.isHistory(m.Event), m => this.Refuse(this.Sender, $"{RunEvents.nameOf(m.Event)} is history and is stored with a commit only."));
        this.Receive<RecordOperational>(m => this.Accept(m.Id, m));
        this.Receive<GetRecovered>(_ => this.OnAsk());
        this.Receive<JournalActor.Ready>(this.OnReady);
        this.Receive<Committed>(m => this.OnDone(m.Id, m));
        this.Receive<Recorded>(m => this.OnDone(m.Id, m));
        this.Receive<JournalActor.AttemptFailed>(this.OnAttemptFailed);
        this.Receive<JournalActor.Refused>(this.OnRefused);
        this.Receive<JournalActor.Stopping>(m => (this.lastReason, this.displaced) = (m.Reason, m.Displaced));
        this.Receive<Terminated>(_ => this.OnChildStopped());
        this.Receive<Resend>(_ => this.Pump());
        this.Receive<StartChild>(_ => this.Start());
    }

    public ITimerScheduler Timers { get; set; } = null!;

    /// <param name="run">The run whose journal it is; the process holds its lock.</param>
    /// <param name="listener">Gets <see cref="CommitRetrying"/> and <see cref="CommitFailed"/>.</param>
    /// <param name="settings">Defaults when null.</param>
    public static Props Props(RunPaths run, IActorRef listener, JournalSettings? settings = null) =>
        Akka.Actor.Props.Create(() => new JournalOutbox(run, listener, settings ?? new JournalSettings()));

    protected override void PreStart() => this.Start();

    protected override void PostStop()
    {
        foreach (var waiting in this.pending)
        {
            waiting.Release();
        }
    }

    // A journal that failed is stopped and started again by us, with back-off, never restarted in place.
    protected override SupervisorStrategy SupervisorStrategy() => new OneForOneStrategy(error =>
    {
        this.lastReason = JournalText.Of(error);
        return Directive.Stop;
    });

    private void Start()
    {
        if (this.child is null)
        {
            this.Timers.Cancel(nameof(StartChild));
            this.child = Context.Watch(Context.ActorOf(JournalActor.Props(this.writer, this.settings, this.persistenceId, this.lease)));
        }
    }

    private void Accept(long id, object message)
    {
        if (id < (this.firstFreeId ?? long.MinValue) || this.pending.Last is { } last && id <= last.Value.Id)
        {
            this.Refuse(this.Sender, $"Expected an id above every one used before (at least {this.pending.Last?.Value.Id + 1 ?? this.firstFreeId}), found {id}.");
            (message as Commit)?.State.Replay?.Dispose();
            return;
        }
        this.pending.AddLast(new Pending(id, message, this.Sender, new Patience(this.settings)));
        if (this.firstFreeId is not null)
        {
            this.firstFreeId = id + 1;
        }
        this.Wake();
        this.Pump();
    }

    private void OnAsk()
    {
        if (this.ready)
        {
            this.child.Forward(new GetRecovered());
            return;
        }
        this.askers.Add(this.Sender);
        this.Wake();
    }

    /// <summary>After giving up, the next message is a new reason to try.</summary>
    private void Wake()
    {
        if (this.child is null && !this.Timers.IsTimerActive(nameof(StartChild)))
        {
            this.Start();
        }
    }

    private void OnReady(JournalActor.Ready message)
    {
        if (this.Sender.Equals(this.child))
        {
            this.ready = true;
            if (this.firstFreeId is null)
            {
                this.OnFirstReady(message.Recovered.NextId);
            }
            this.askers.ForEach(a => a.Tell(message.Recovered));
            this.askers.Clear();
            this.Pump();
        }
    }

    /// <summary>Ids that the journal already holds from an earlier process are a mistake of the sender, not a resent message.</summary>
    private void OnFirstReady(long nextId)
    {
        foreach (var old in this.pending.Where(p => p.Id < nextId).ToList())
        {
            this.Refuse(old.Sender, $"Expected ids from {nextId} on (Recovered.NextId), found {old.Id}.");
            this.Remove(old);
        }
        this.firstFreeId = Math.Max(nextId, this.pending.Last?.Value.Id + 1 ?? 0);
    }

    private void Pump()
    {
        if (!this.ready)
        {
            return;
        }
        var laneBusy = this.Timers.IsTimerActive(nameof(Resend));
        foreach (var item in this.pending)
        {
            var inLane = item.Message is not RecordOperational;
            if (!item.Sent && !(inLane && laneBusy))
            {
                item.Sent = true;
                this.child.Tell(item.Message);
            }
            laneBusy |= inLane;
        }
    }

    private void OnDone(long id, object acknowledgement)
    {
        if (this.pending.FirstOrDefault(p => p.Id == id) is { } done)
        {
            this.Remove(done);
            done.Sender.Tell(acknowledgement);
            this.journalPatience.Reset();
            this.Pump();
        }
    }

    private void OnAttemptFailed(JournalActor.AttemptFailed failed)
    {
        if (this.pending.FirstOrDefault(p => p.Id == failed.CommitId) is not { } item)
        {
            return;
        }
        item.Sent = false;
        if (item.Patience.NextDelay() is { } delay)
        {
            this.listener.Tell(new CommitRetrying(item.Id, failed.Reason, item.Patience.Failures, delay));
            this.Timers.StartSingleTimer(nameof(Resend), new Resend(), delay);
            return;
        }
        this.GiveUp(item, failed.Reason, item.Patience.Elapsed);
        this.Pump();
    }

    private void OnRefused(JournalActor.Refused refused)
    {
        if (this.pending.FirstOrDefault(p => p.Id == refused.Id) is { } item)
        {
            this.Refuse(item.Sender, refused.Reason);
            this.GiveUp(item, refused.Reason, TimeSpan.Zero);
            this.Pump();
        }
    }

    private void OnChildStopped()
    {
        (this.child, this.ready) = (null, false);
        foreach (var item in this.pending)
        {
            item.Sent = false;
        }
        if (this.journalPatience.NextDelay() is { } delay && !this.displaced)
        {
            this.listener.Tell(new CommitRetrying(this.pending.First?.Value.Id ?? 0, this.lastReason, this.journalPatience.Failures, delay));
            this.Timers.StartSingleTimer(nameof(StartChild), new StartChild(), delay);
            return;
        }
        this.askers.ForEach(a => a.Tell(new Status.Failure(new IOException(this.lastReason))));
        this.askers.Clear();
        var failedFor = this.journalPatience.Elapsed;
        this.journalPatience.Reset();
        if (this.pending.Count == 0)
        {
            this.listener.Tell(new CommitFailed(0, this.lastReason, failedFor));
        }
        foreach (var item in this.pending.ToList())
        {
            this.GiveUp(item, this.lastReason, failedFor);
        }
    }

    private void GiveUp(Pending item, string reason, TimeSpan after)
    {
        this.Remove(item);
        this.listener.Tell(new CommitFailed(item.Id, reason, after));
    }

    private void Refuse(IActorRef sender, string reason) => sender.Tell(new Status.Failure(new ArgumentException(reason)));

    private void Remove(Pending item)
    {
        this.pending.Remove(item);
        item.Release();
    }

    private sealed class Pending(long id, object message, IActorRef sender, Patience patience)
    {
        internal long Id => id;

        internal object Message => message;

        internal IActorRef Sender => sender;

        /// <summary>With this message's files; failures of SQL are the journal's.</summary>
        internal Patience Patience => patience;

        internal bool Sent { get; set; }

        /// <summary>Lets the replay files of a commit go.</summary>
        internal void Release() => (message as Commit)?.State.Replay?.Dispose();
    }

    private sealed record Resend;

    private sealed record StartChild;
}
