using NE.Actors.RunDirectory;

namespace NE.Shell.Torture;

/// <summary>Damages one file of a run that is not at work.</summary>
internal static class FileDamage
{
    /// <returns>What was done, for the report.</returns>
    public static string Do(RunPaths run, Attack.Damage damage)
    {
        // The lock has no content that a resume reads, logs and videos are no part of the run.
        string[] files =
        [
            .. Directory.EnumerateFiles(run.Root, "*", SearchOption.AllDirectories)
                .Where(file => file != run.Lock && !file.StartsWith(run.Logs, StringComparison.Ordinal) && new FileInfo(file).Length > 0)
                .Order(StringComparer.Ordinal),
        ];
        string file = Pick(files, damage.File);
        string name = Path.GetRelativePath(run.Root, file);
        int length = (int)Math.Min(new FileInfo(file).Length, 1 << 22);
        int at = (int)(damage.At * length);

        switch (damage.How)
        {
            case Harm.Delete:
                File.Delete(file);
                return $"deleted {name}";
            case Harm.Swap:
                string other = Pick([.. files.Where(candidate => candidate != file && Path.GetDirectoryName(candidate) == Path.GetDirectoryName(file))], damage.At);

                if (other.Length == 0)
                {
                    File.Delete(file);
                    return $"deleted {name}";
                }

                byte[] mine = File.ReadAllBytes(file), its = File.ReadAllBytes(other);
                File.WriteAllBytes(file, its);
                File.WriteAllBytes(other, mine);
                return $"swapped {name} with {Path.GetRelativePath(run.Root, other)}";
            case Harm.Truncate:
                using (FileStream stream = File.OpenWrite(file))
                {
                    stream.SetLength(at);
                }

                return $"cut {name} to {at} bytes";
            default:
                using (FileStream stream = File.Open(file, FileMode.Open, FileAccess.ReadWrite))
                {
                    stream.Position = at;
                    byte[] bytes = new byte[damage.How is Harm.Zero ? Math.Min(512, length - at) : 1];
                    stream.ReadExactly(bytes);
                    byte[] changed = damage.How is Harm.Zero ? new byte[bytes.Length] : [(byte)(bytes[0] ^ (1 << (at % 8)))];
                    stream.Position = at;
                    stream.Write(changed);
                    return $"{(damage.How is Harm.Zero ? $"zeroed {bytes.Length} bytes" : $"flipped bit {at % 8}")} at {at} of {name}";
                }
        }
    }

    private static string Pick(string[] files, double fraction) => files.Length == 0 ? "" : files[(int)(fraction * files.Length)];
}
