using System.Runtime.InteropServices;

namespace NE.Shell.Host;

/// <summary>
/// Watches the standard input of a run that another program has started and bound to itself (`--stop-at-eof`): when it ends, that program
/// asks for a stop or is gone.
/// </summary>
internal static partial class InputEnd
{
    /// <summary>Calls once, from a thread of its own, when the input has ended.</summary>
    public static void Watch(Stream input, Action ended)
    {
        var watcher = new Thread(() =>
        {
            try
            {
                byte[] ignored = new byte[256];

                while (input.Read(ignored) > 0)
                {
                }
            }
            catch (IOException)
            {
                // An input that cannot be read has ended too.
            }

            ended();
        })
        {
            IsBackground = true,
            Name = "end of input",
        };
        watcher.Start();
    }

    /// <summary>
    /// Opens the process's own, and leaves the terminal's group of processes: Ctrl-C and a closed terminal are for the program that started
    /// this one, which then decides.
    /// </summary>
    public static Stream OpenApart()
    {
        _ = SetProcessGroup(0, 0);
        return Console.OpenStandardInput();
    }

    [LibraryImport("libc", EntryPoint = "setpgid")]
    private static partial int SetProcessGroup(int process, int group);
}
