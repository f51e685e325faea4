using System.ComponentModel;
using System.Diagnostics;

namespace NE.Actors.Video;

/// <summary>Finds ffmpeg, which this program uses when it is there and never brings.</summary>
public static class Ffmpeg
{
    private const string Name = "ffmpeg";

    /// <summary>The executable in the first folder that has it; null when none has.</summary>
    /// <param name="searchPath">Folders separated by ':', as in PATH; null for none.</param>
    public static string? Find(string? searchPath) => (searchPath ?? "")
        .Split(':', StringSplitOptions.RemoveEmptyEntries)
        .Select(folder => Path.Combine(folder, Name))
        .FirstOrDefault(IsExecutable);

    /// <summary>The version as ffmpeg says it, such as 5.1.9-0+deb12u1; null when it does not start.</summary>
    public static string? Version(string executable)
    {
        try
        {
            using var process = Process.Start(new ProcessStartInfo(executable, ["-version"]) { RedirectStandardOutput = true, RedirectStandardError = true })!;
            var words = (process.StandardOutput.ReadLine() ?? "").Split(' ');
            process.StandardOutput.ReadToEnd();
            process.WaitForExit();
            return process.ExitCode == 0 && words is [_, "version", var version, ..] ? version : null;
        }
        catch (Win32Exception)
        {
            return null;
        }
    }

    private static bool IsExecutable(string file)
    {
        const UnixFileMode anybody = UnixFileMode.UserExecute | UnixFileMode.GroupExecute | UnixFileMode.OtherExecute;
        return new FileInfo(file) is { Exists: true } found && (found.UnixFileMode & anybody) != 0;
    }
}
