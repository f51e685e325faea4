using System.Text.Json;
using NE.Shell.Commands;
using NE.Shell.Doctor;
using NE.Shell.Host;

namespace NE.Shell.Verbs;

/// <summary>`ne doctor`</summary>
internal static class DoctorVerb
{
    public static async Task<ExitCode> Examine(DoctorCommand command, ShellHost host)
    {
        IReadOnlyList<Finding> findings = await Examination.Examine(command.Runs, host.SearchPath, command.Seq ?? host.SeqUrl, JournalAddress.Of(null, host));
        bool ready = findings.All(finding => finding.Ok || !finding.Required);

        if (command.Json)
        {
            host.Output.WriteLine(JsonSerializer.Serialize(new { ready, findings }, Json.Options));
        }
        else
        {
            Show(findings, ready, host);
        }

        return ready ? ExitCode.Ok : ExitCode.Failed;
    }

    /// <summary>One line per finding, and one below it that says what to do.</summary>
    internal static void Show(IReadOnlyList<Finding> findings, bool ready, ShellHost host)
    {
        int width = findings.Max(finding => finding.Name.Length);

        foreach (Finding finding in findings)
        {
            string mark = finding.Ok ? "found  " : finding.Required ? "MISSING" : "absent ";
            host.Output.WriteLine($"{mark}  {finding.Name.PadRight(width)}  {finding.Found}");

            if (finding.Fix is { } fix)
            {
                host.Output.WriteLine($"{new string(' ', width + 9)}  -> {fix}");
            }
        }

        host.Output.WriteLine(ready ? "Everything that a run needs is here." : "A run cannot start before what is MISSING is here.");
    }
}
