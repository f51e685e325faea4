using NE.Actors.RunDirectory;
using NE.Actors.Stores;
using NE.Shell.Commands;
using NE.Shell.Host;

namespace NE.Shell.Verbs;

/// <summary>`ne journal copy`</summary>
internal static class JournalVerb
{
    public static ExitCode Copy(JournalCopyCommand command, ShellHost host)
    {
        JournalPlace? to = JournalAddress.Read(command.To, "--to");
        using RunFolder folder = RunFolder.Open(command.Runs, command.Name);
        JournalCopied copied = JournalCopy.Copy(folder.Paths, to);
        host.Output.WriteLine($"{command.Name} has its journal at {copied.To} now: {Format.Count(copied.Records)} records and {Format.Count(copied.Snapshots)} snapshots, read back and equal");
        host.Output.WriteLine($"  what was at {copied.From} is still there{(to is null ? "" : $", as *{JournalCopy.LeftSuffix}")}; nothing reads it any more");
        return ExitCode.Ok;
    }
}
