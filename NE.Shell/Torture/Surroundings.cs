using System.ComponentModel;
using System.Diagnostics;
using NE.Actors.Rendering;
using NE.Actors.Stores;

namespace NE.Shell.Torture;

/// <summary>What this machine and the user have for the runs that are attacked.</summary>
internal sealed class Surroundings
{
    private const string Resources = "torture:";
    private static readonly TimeSpan PythonPatience = TimeSpan.FromMinutes(1);

    private readonly string files;
    private readonly Lazy<string?> python = new(FindPython);
    private readonly Lazy<string?> noPictures = new(WhyNoPictures);

    /// <param name="runs">Folder of the runs; what they need as files is written below it.</param>
    public Surroundings(string runs)
    {
        this.files = Path.Combine(runs, "files");
        Directory.CreateDirectory(this.files);

        foreach (string resource in typeof(Surroundings).Assembly.GetManifestResourceNames().Where(name => name.StartsWith(Resources, StringComparison.Ordinal)))
        {
            using Stream content = typeof(Surroundings).Assembly.GetManifestResourceStream(resource)!;
            using FileStream file = File.Create(Path.Combine(this.files, resource[Resources.Length..]));
            content.CopyTo(file);
        }
    }

    /// <summary>A server's place that is the torture's own, with its login; null where the user names none.</summary>
    public JournalUrl? Journal { get; init; }

    /// <summary>The id of a plug-in; null where the user names none.</summary>
    public string? Plugin { get; init; }

    /// <summary>Whether the plug-in's episodes go on after a resume.</summary>
    public bool PluginSavesState { get; init; }

    /// <summary>Why a run cannot be attacked here; null when it can.</summary>
    public string? Missing(Scenario scenario) => scenario.Need switch
    {
        Need.Pictures => this.noPictures.Value,
        Need.Python => this.python.Value is null ? "there is no python3 of 3.8 or later in PATH" : null,
        Need.Server => this.Journal is null ? "neither --journal nor NE_JOURNAL names a server" : null,
        Need.Plugin => this.Plugin is null ? "--plugin names none" : null,
        _ => null,
    };

    /// <summary>The arguments of `ne train`.</summary>
    public IReadOnlyList<string> Arguments(Scenario scenario) =>
    [
        .. scenario.Arguments.Select(word => word
            .Replace("{files}", this.files, StringComparison.Ordinal)
            .Replace("{python}", scenario.Need is Need.Python ? this.python.Value : "", StringComparison.Ordinal)
            .Replace("{plugin}", this.Plugin, StringComparison.Ordinal)),
    ];

    /// <summary>Whether the same run is the same bits.</summary>
    public bool IsReproducible(Scenario scenario) => scenario.IsReproducible && (scenario.Need is not Need.Plugin || this.PluginSavesState);

    /// <summary>The interpreter by its own path: the name may lead to a script that looks for one at every start.</summary>
    private static string? FindPython()
    {
        try
        {
            using Process? asked = Process.Start(new ProcessStartInfo("python3", ["-c", "import sys; print(sys.executable if sys.version_info >= (3, 8) else '')"])
            { RedirectStandardOutput = true, RedirectStandardError = true });
            string? said = asked?.StandardOutput.ReadLine();
            return asked?.WaitForExit(PythonPatience) is true && File.Exists(said) ? said : null;
        }
        catch (Win32Exception)
        {
            return null;
        }
    }

    private static string? WhyNoPictures()
    {
        try
        {
            OpenGlContext.Open().Dispose();
            return null;
        }
        catch (RendererUnavailableException missing)
        {
            return $"no picture can be drawn ({missing.Reasons}); {RendererUnavailableException.Packages}";
        }
    }
}
