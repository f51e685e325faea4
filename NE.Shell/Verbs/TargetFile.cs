using NE.Shell.Host;

namespace NE.Shell.Verbs;

/// <summary>A file that the user asked for.</summary>
internal static class TargetFile
{
    /// <summary>Says what is wrong with a name before any work is done for it.</summary>
    /// <param name="ending">How names of such files end.</param>
    public static void RequireFree(string file, string ending, bool overwrite)
    {
        if (Directory.Exists(file))
        {
            throw new UserError($"{file} is a folder; name the file itself, such as -o {Path.Combine(file, "NAME" + ending)}");
        }

        if (Path.GetDirectoryName(Path.GetFullPath(file)) is { } folder && !Directory.Exists(folder))
        {
            throw new UserError($"there is no folder {folder} for {Path.GetFileName(file)}; make it first, or give another -o FILE");
        }

        if (File.Exists(file) && !overwrite)
        {
            throw new UserError($"{file} exists already; name another file with -o, or give --overwrite to replace it");
        }
    }
}
