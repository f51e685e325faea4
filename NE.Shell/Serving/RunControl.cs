using System.Diagnostics;
using NE.Actors.RunDirectory;
using NE.Shell.Host;

namespace NE.Shell.Serving;

/// <summary>What a page may do to the runs of a folder, where it was started with --control.</summary>
/// <param name="runs">Folder of the runs.</param>
/// <param name="executable">Program and first arguments with which this program starts itself.</param>
internal sealed class RunControl(string runs, IReadOnlyList<string> executable)
{
    /// <summary>What the process of a resume from the page prints.</summary>
    private const string ResumeLog = "resume.log";

    /// <summary>Lets a run commit and stop, as SIGTERM does.</summary>
    /// <exception cref="UserError">No process of this machine works on it.</exception>
    public string Stop(string name)
    {
        RunPaths paths = RunFolder.Find(runs, name);
        RunHolder holder = RunLock.Holder(paths) ?? throw new UserError($"no process works on '{name}'");

        if (holder.Host != Environment.MachineName || holder.ProcessId <= 0)
        {
            throw new UserError($"'{name}' is worked on by a process of {holder.Host}; stop it there");
        }

        using Process kill = Process.Start("kill", ["-TERM", holder.ProcessId.ToString(System.Globalization.CultureInfo.InvariantCulture)]);
        kill.WaitForExit();
        return kill.ExitCode == 0
            ? $"'{name}' commits and stops"
            : throw new UserError($"process {holder.ProcessId} of {holder.Host}, which works on '{name}', could not be told to stop: it has just ended, or is another user's");
    }

    /// <summary>Goes on with a run in a process of its own, which outlives the page.</summary>
    /// <exception cref="UserError">A process works on it.</exception>
    public string Resume(string name)
    {
        RunPaths paths = RunFolder.Find(runs, name);

        if (RunLock.Holder(paths) is { } holder)
        {
            throw new UserError($"process {holder.ProcessId} of {holder.Host} works on '{name}'");
        }

        Directory.CreateDirectory(paths.Logs);
        // A session of its own: Ctrl-C on the page's terminal is not meant for it. The redirection is the shell's, so that it goes on without this process.
        const string IntoLog = "log=$1; shift; exec setsid \"$@\" >>\"$log\" 2>&1 </dev/null &";
        var start = new ProcessStartInfo("/bin/sh") { UseShellExecute = false };

        foreach (string word in (string[])["-c", IntoLog, "sh", Path.Combine(paths.Logs, ResumeLog), .. executable, "resume", name, "--runs", Path.GetFullPath(runs), "--plain"])
        {
            start.ArgumentList.Add(word);
        }

        using Process shell = Process.Start(start) ?? throw new ShellFailure("/bin/sh did not start");
        shell.WaitForExit();
        return $"'{name}' goes on; what its process prints is in {Path.Combine(paths.Logs, ResumeLog)}";
    }
}
