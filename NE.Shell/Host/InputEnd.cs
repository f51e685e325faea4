using System.Runtime.InteropServices;
using NE.Actors.Fleet.Cells;
using NE.Model.Fleet;

namespace NE.Shell.Host;

/// <summary>
/// Watches the standard input of a run that another program has started and bound to itself (`--stop-at-eof`): when it ends, that program
/// asks for a stop or is gone.
/// </summary>
internal static partial class InputEnd
{
    /// <summary>The line that asks a process with a lease to stop; its lease is renewed until it has.</summary>
    internal const string Stop = "stop";

    private static readonly TimeSpan LookAtLease = TimeSpan.FromMilliseconds(250);

    /// <summary>Calls once, from a thread of its own, when the input has ended.</summary>
    public static void Watch(Stream input, Action ended)
    {
        Start("end of input", () =>
        {
            try
            {
                byte[] ignored = new byte[256];

                while (input.Read(ignored) > 0)
                {
                }
            }
            catch (IOException)
            {
                // An input that cannot be read has ended too.
            }

            ended();
        });
    }

    /// <summary>
    /// Watches the same for a right to go on (`--lease`): each line is a moment, and when one has passed before the next came, this process dies as suddenly as by
    /// kill -9, with <see cref="CellExitCode.LeaseIsOver"/>. By then whoever gave the right may have given it to another process.
    /// </summary>
    /// <param name="input">Lines of [ms] by <see cref="SteadyClock"/>, or <see cref="Stop"/>.</param>
    /// <param name="ended">Called once when a stop is asked for or the input has ended. The last moment that was given still holds.</param>
    public static void WatchLease(Stream input, Action ended)
    {
        long deadline = long.MaxValue;
        int asked = 0;
        void stop()
        {
            if (Interlocked.Exchange(ref asked, 1) == 0)
            {
                ended();
            }
        }

        Start("lease", () =>
        {
            while (SteadyClock.Now < Volatile.Read(ref deadline))
            {
                Thread.Sleep(LookAtLease);
            }

            Console.Error.WriteLine("ne: the right to work on this run is over, since nobody renewed it in time; what was committed goes on elsewhere");
            LeaveNow(CellExitCode.LeaseIsOver);
        });
        Start("lease renewal", () =>
        {
            try
            {
                using var lines = new StreamReader(input);

                while (lines.ReadLine() is { } line)
                {
                    if (long.TryParse(line, System.Globalization.NumberStyles.None, System.Globalization.CultureInfo.InvariantCulture, out long next))
                    {
                        Volatile.Write(ref deadline, next);
                    }
                    else if (line == Stop)
                    {
                        stop();
                    }
                }
            }
            catch (IOException)
            {
                // An input that cannot be read has ended too.
            }

            stop();
        });
    }

    private static void Start(string name, ThreadStart work) => new Thread(work) { IsBackground = true, Name = name }.Start();

    /// <summary>
    /// Opens the process's own, and leaves the terminal's group of processes: Ctrl-C and a closed terminal are for the program that started
    /// this one, which then decides.
    /// </summary>
    public static Stream OpenApart()
    {
        _ = SetProcessGroup(0, 0);
        return Console.OpenStandardInput();
    }

    /// <summary>The kernel ends all threads at once, as by SIGKILL: no exit handler and no finalizer writes anything any more. Unlike a signal it leaves a code.</summary>
    [LibraryImport("libc", EntryPoint = "_exit")]
    private static partial void LeaveNow(int exitCode);

    [LibraryImport("libc", EntryPoint = "setpgid")]
    private static partial int SetProcessGroup(int process, int group);
}
