using System.Globalization;
using System.Text;

namespace NE.Shell.Torture;

/// <summary>The processes of a run under attack, and all that they started: they carry its name in their environment, whoever their parent is now.</summary>
internal static class MarkedProcesses
{
    /// <summary>The environment variable that has the name.</summary>
    public const string Variable = "NE_TORTURE";

    /// <returns>Number and command line of each that lives.</returns>
    public static IReadOnlyList<(int Id, string Command)> Of(string mark)
    {
        byte[] wanted = Encoding.UTF8.GetBytes($"{Variable}={mark}\0");
        var found = new List<(int, string)>();

        foreach (string folder in Directory.EnumerateDirectories("/proc"))
        {
            try
            {
                if (int.TryParse(Path.GetFileName(folder), NumberStyles.None, CultureInfo.InvariantCulture, out int id)
                    && File.ReadAllBytes(Path.Combine(folder, "environ")).AsSpan().IndexOf(wanted) >= 0)
                {
                    found.Add((id, File.ReadAllText(Path.Combine(folder, "cmdline")).TrimEnd('\0').Replace('\0', ' ')));
                }
            }
            catch (Exception gone) when (gone is IOException or UnauthorizedAccessException)
            {
                // It ended meanwhile, or is another user's.
            }
        }

        return [.. found.OrderBy(process => process.Item1)];
    }
}
