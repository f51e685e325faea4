namespace NE.Shell.Host;

/// <summary>How this very program is started once more.</summary>
internal static class OwnExecutable
{
    /// <summary>The words before the arguments: the `dotnet` that runs it with its assembly, or the program beside the assembly.</summary>
    public static IReadOnlyList<string> Words
    {
        get
        {
            string assembly = typeof(OwnExecutable).Assembly.Location;
            return Environment.ProcessPath is { } process && Path.GetFileNameWithoutExtension(process) == "dotnet"
                ? [process, assembly]
                : [Path.ChangeExtension(assembly, null)];
        }
    }
}
