using System.Diagnostics;
using System.Runtime.InteropServices;

namespace NE.Actors.Environments.External;

/// <summary>Starts a program as the leader of a session, and so of a group of processes: what it leaves behind when it ends by itself can still be
/// killed, and Ctrl-C in the terminal, which is for the run, does not reach it.</summary>
/// <remarks>.NET starts processes in its own group, and a parent can move a child only until the child has become its program. So `setsid` of util-linux
/// is started, which makes the session and becomes the program in the same process. Where there is no setsid, the program is started as it is.</remarks>
internal static partial class ProcessGroup
{
    private const string MakesLeader = "setsid";
    private static readonly TimeSpan Look = TimeSpan.FromMilliseconds(10);
    private const int KillSignal = 9;
    private const int MayExecute = 1;

    /// <summary>Starts a program with pipes for its standard input, output and error.</summary>
    /// <returns>The process, and whether it leads a group.</returns>
    /// <exception cref="System.ComponentModel.Win32Exception">There is no such program, or it cannot be started.</exception>
    internal static (Process Process, bool Leads) Start(IReadOnlyList<string> words)
    {
        // .NET looks for a program in the same variable.
        new ProcessStartInfo().Environment.TryGetValue("PATH", out var searchPath);
        var leader = Words(words, searchPath);
        var started = leader ?? words;
        var info = new ProcessStartInfo(started[0], started.Skip(1))
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        return (Process.Start(info)!, leader is not null);
    }

    /// <summary>The words that start a program as a leader; null when it cannot be one, or is not there, which .NET then says.</summary>
    /// <param name="words">The program and its arguments.</param>
    /// <param name="searchPath">Folders separated by ':', as in PATH; null for none.</param>
    internal static IReadOnlyList<string>? Words(IReadOnlyList<string> words, string? searchPath)
    {
        var folders = (searchPath ?? "").Split(':', StringSplitOptions.RemoveEmptyEntries);
        var (setsid, program) = (Find(MakesLeader, folders), Find(words[0], [.. Own(), .. folders]));
        return setsid is null || program is null ? null : [setsid, program, .. words.Skip(1)];
    }

    /// <summary>Waits until nothing is left of a group whose leader has ended: helpers of a program that ends in order clear up behind it.</summary>
    /// <param name="leader">Its number.</param>
    /// <param name="patience">The longest wait.</param>
    internal static void WaitForEnd(int leader, TimeSpan patience)
    {
        var since = Stopwatch.StartNew();
        while (since.Elapsed < patience && Signal(-leader, 0) == 0)
        {
            Thread.Sleep(Look);
        }
    }

    /// <summary>Kills all that is left of a group.</summary>
    /// <param name="leader">Its number.</param>
    /// <param name="isGone">Whether the leader has ended and was waited for.</param>
    internal static void Kill(int leader, bool isGone)
    {
        // The kernel gives no process the number of a group that has members: a number that is taken again is another program's.
        if (!isGone || GroupOf(leader) < 0)
        {
            _ = Signal(-leader, KillSignal);
        }
    }

    /// <summary>Where .NET looks for a program before the search path.</summary>
    private static string[] Own()
    {
        var (beside, here) = (Path.GetDirectoryName(Environment.ProcessPath), Directory.GetCurrentDirectory());
        return beside is null ? [here] : [beside, here];
    }

    /// <summary>The full path of an executable file; one that is a path itself is that.</summary>
    private static string? Find(string name, string[] folders) =>
        folders.Select(folder => Path.GetFullPath(Path.Combine(folder, name))).FirstOrDefault(IsExecutable);

    /// <summary>Whether this user may execute it: not a folder, and no link to nothing.</summary>
    private static bool IsExecutable(string file) => !Directory.Exists(file) && Access(file, MayExecute) == 0;

    [LibraryImport("libc", EntryPoint = "access", StringMarshalling = StringMarshalling.Utf8)]
    private static partial int Access(string file, int mode);

    [LibraryImport("libc", EntryPoint = "getpgid")]
    private static partial int GroupOf(int process);

    [LibraryImport("libc", EntryPoint = "kill")]
    private static partial int Signal(int process, int signal);
}
