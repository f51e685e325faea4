using System.Diagnostics;

namespace NE.Actors.Instruments;

/// <summary>
/// A piece of a run's work as a listener sees it: a name, a beginning, an end, tags. Does nothing when nobody listens, and so does `default`.
/// An actor's thread serves other messages between beginning and end, so it is never the current activity of its own accord.
/// </summary>
public readonly struct RunSpan
{
    private readonly Activity? activity;

    private RunSpan(Activity? activity) => this.activity = activity;

    /// <summary>What the spans of its parts name as their parent; `default` when nobody listens.</summary>
    public ActivityContext Context => this.activity?.Context ?? default;

    /// <summary>Begins a span.</summary>
    /// <param name="name">The same for every span of its kind.</param>
    /// <param name="parent">What it is a part of; `default` makes it a part of the current activity, or a trace of its own.</param>
    /// <param name="since">When it began; `default` is now.</param>
    public static RunSpan Begin(string name, ActivityContext parent = default, DateTimeOffset since = default)
    {
        var current = Activity.Current;
        var activity = RunInstruments.Spans.StartActivity(name, ActivityKind.Internal, parent, startTime: since);
        if (activity is not null)
        {
            Activity.Current = current;
        }
        return new(activity);
    }

    /// <summary>Says something of it.</summary>
    /// <param name="name">As log events name the same thing.</param>
    /// <param name="value">A number, a text or a truth value.</param>
    public RunSpan Tag(string name, object? value)
    {
        this.activity?.SetTag(name, value);
        return this;
    }

    /// <summary>Ends it; a second end changes nothing.</summary>
    public void End()
    {
        if (this.activity is { IsStopped: false })
        {
            var current = Activity.Current;
            this.activity.Stop();
            Activity.Current = current is { IsStopped: true } ? null : current;
        }
    }

    /// <summary>Ends it as failed.</summary>
    /// <param name="reason">One sentence.</param>
    public void Fail(string reason)
    {
        if (this.activity is { IsStopped: false })
        {
            this.activity.SetStatus(ActivityStatusCode.Error, reason).SetTag("Reason", reason);
            this.End();
        }
    }

    /// <summary>Makes it the current activity of this thread, so that log events belong to it, until the result is disposed.</summary>
    public Scope Enter() => new(this.activity);

    /// <summary>Gives back the current activity of before.</summary>
    public readonly ref struct Scope : IDisposable
    {
        private readonly Activity? before;
        private readonly bool entered;

        internal Scope(Activity? activity)
        {
            this.entered = activity is { IsStopped: false };
            if (this.entered)
            {
                this.before = Activity.Current;
                Activity.Current = activity;
            }
        }

        public void Dispose()
        {
            if (this.entered)
            {
                Activity.Current = this.before;
            }
        }
    }
}
