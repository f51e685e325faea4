using System.Diagnostics;
using System.Runtime.InteropServices;

namespace NE.Actors.Environments.External;

/// <summary>Waits until a pipe can be read or written, for a bounded time. .NET cannot end a read of a pipe that has begun: a grandchild that
/// inherited the pipe would block it for ever, so a read begins only when it will not wait.</summary>
internal static partial class PipeWait
{
    private const short Readable = 1;
    private const short Writable = 4;
    private const short HungUp = 16;
    private const int InterruptedCall = 4;

    /// <summary>The longest time until a cancellation is noticed [ms].</summary>
    private const int Slice = 50;

    /// <summary>How a wait ended.</summary>
    internal enum Outcome
    {
        Ready,
        TimedOut,
        Cancelled,
    }

    /// <param name="pipe">Read by this thread alone.</param>
    /// <param name="deadline">See <see cref="Deadline"/>.</param>
    /// <param name="isCancelled">Ends the wait.</param>
    /// <param name="slice">The longest time until that is noticed [ms].</param>
    internal static Outcome ForReading(SafeHandle pipe, long deadline, Func<bool> isCancelled, int slice = Slice) =>
        Wait(pipe, Readable, deadline, isCancelled, slice);

    internal static Outcome ForWriting(SafeHandle pipe, long deadline, Func<bool> isCancelled) => Wait(pipe, Writable, deadline, isCancelled, Slice);

    /// <summary>What can be said of a pipe without a wait: whether there are bytes to read, and whether its other end is open.</summary>
    internal static (bool HasBytes, bool IsOpen) Look(SafeHandle pipe)
    {
        var added = false;
        try
        {
            pipe.DangerousAddRef(ref added);
            var one = new Descriptor { File = (int)pipe.DangerousGetHandle(), Events = Readable };
            return Poll(ref one, 1, 0) > 0 ? ((one.Returned & Readable) != 0, (one.Returned & HungUp) == 0) : (false, true);
        }
        finally
        {
            if (added)
            {
                pipe.DangerousRelease();
            }
        }
    }

    /// <summary>The `Stopwatch` time that lies so far ahead.</summary>
    internal static long Deadline(TimeSpan patience) => Stopwatch.GetTimestamp() + (long)(patience.TotalSeconds * Stopwatch.Frequency);

    private static Outcome Wait(SafeHandle pipe, short events, long deadline, Func<bool> isCancelled, int slice)
    {
        var added = false;
        try
        {
            pipe.DangerousAddRef(ref added);
            while (true)
            {
                if (isCancelled())
                {
                    return Outcome.Cancelled;
                }

                var left = (deadline - Stopwatch.GetTimestamp()) * 1000.0 / Stopwatch.Frequency;
                var one = new Descriptor { File = (int)pipe.DangerousGetHandle(), Events = events };
                var ready = Poll(ref one, 1, (int)Math.Clamp(Math.Ceiling(left), 0, slice));
                if (ready > 0)
                {
                    // The other end is closed, too: then the read or write itself says so at once.
                    return Outcome.Ready;
                }

                if (ready < 0 && Marshal.GetLastPInvokeError() != InterruptedCall)
                {
                    throw new IOException($"Cannot wait for a pipe: {new System.ComponentModel.Win32Exception(Marshal.GetLastPInvokeError()).Message}.");
                }

                if (left <= 0)
                {
                    return Outcome.TimedOut;
                }
            }
        }
        finally
        {
            if (added)
            {
                pipe.DangerousRelease();
            }
        }
    }

    [LibraryImport("libc", EntryPoint = "poll", SetLastError = true)]
    private static partial int Poll(ref Descriptor descriptors, nuint count, int milliseconds);

    [StructLayout(LayoutKind.Sequential)]
    private struct Descriptor
    {
        public int File;
        public short Events;
        public short Returned;
    }
}
