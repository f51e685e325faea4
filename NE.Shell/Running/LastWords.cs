namespace NE.Shell.Running;

/// <summary>
/// What a process says of how it ended. Where nobody hears it any more (the terminal was closed, the disk behind a file is full), its exit code says it all
/// the same.
/// </summary>
internal static class LastWords
{
    public static void Say(TextWriter to, string text)
    {
        try
        {
            to.WriteLine(text);
        }
        catch (IOException)
        {
            // Nobody hears it.
        }
    }
}
