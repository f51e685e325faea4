using System.Runtime.InteropServices;
using Microsoft.Data.Sqlite;
using NE.Actors.MuJoCo;
using NE.Actors.RunDirectory;
using NE.Actors.Rendering;
using NE.Actors.Stores;
using NE.Actors.Video;
using NE.Model.Networks;
using NE.Model.Networks.Simd;
using NE.Shell.Host;
using NE.Shell.Logging;

namespace NE.Shell.Doctor;

/// <summary>Looks at this machine: what a run needs, found or missing. Nothing is left behind.</summary>
public static class Examination
{
    private const long LittleDisk = 2L << 30;
    private const long LittleMemory = 2L << 30;
    private static readonly TimeSpan SeqPatience = TimeSpan.FromSeconds(3);

    /// <summary>All findings, in the order in which they are shown.</summary>
    /// <param name="runs">Folder of the runs; it need not exist.</param>
    /// <param name="searchPath">Folders to look for programs in, as in PATH.</param>
    /// <param name="seqUrl">Address of the Seq server to try; null tries none.</param>
    /// <param name="journal">Server for journals to try; null tries none.</param>
    public static async Task<IReadOnlyList<Finding>> Examine(string runs, string? searchPath, string? seqUrl, JournalPlace? journal = null)
    {
        List<Finding> findings = [DotNet(), Engine(), .. Torch(), .. MuJoCo(), Rendering(), Processor(), Memory(), Disk(runs), Sqlite(runs), Video(searchPath)];

        if (journal is not null)
        {
            findings.Add(Journal(journal));
        }

        if (seqUrl is not null)
        {
            findings.Add(await Seq(seqUrl));
        }

        return findings;
    }

    /// <summary>What of MuJoCo's plugin libraries models can use.</summary>
    /// <param name="plugins">Those beside the library.</param>
    public static Finding Plugins(IReadOnlyList<MuJoCoPlugin> plugins)
    {
        MuJoCoPlugin[] broken = [.. plugins.Where(plugin => plugin.Problem is not null)];
        string open = string.Join(", ", plugins.Except(broken).Select(plugin => plugin.Name));
        return broken.Length > 0
            ? new("plugins", false, false, string.Join("; ", broken.Select(plugin => plugin.Problem)), "nothing, unless a model of yours names them; else unpack MuJoCo's release archive anew")
            : new("plugins", true, false, open.Length > 0 ? open : "none beside the library; models that name one do not compile");
    }

    private static Finding DotNet() =>
        new(".NET", Environment.Version.Major >= 10, true, $"{RuntimeInformation.FrameworkDescription} on {RuntimeInformation.OSDescription} {RuntimeInformation.OSArchitecture}");

    private static Finding Engine() =>
        new("engine", true, true, $"{SimdEngine.Description} on the CPU (compute.engine=simd), the same results for every width and number of threads");

    private static IEnumerable<Finding> Torch()
    {
        LibTorch.Description? description = null;
        string problem = "";

        try
        {
            description = LibTorch.describe();
        }
        catch (Exception failure)
        {
            problem = failure.Message;
        }

        if (description is null)
        {
            yield return new("libtorch", false, false, problem, "nothing, for training with the simd engine; else build again (./ne builds when sources change), the packages bring libtorch");
            yield break;
        }

        string patched = description.Patched ? ", loaded from a patched copy because this system's libstdc++ is older than it expects" : "";
        yield return new("libtorch", true, true, $"TorchSharp {description.TorchSharpVersion}{patched} ({description.WrapperPath})");
        yield return description.CudaDevices.Length > 0
            ? new("CUDA", true, false, string.Join(", ", description.CudaDevices.Select((name, n) => $"cuda:{n} {name}")))
            : new("CUDA", false, false, "no device that libtorch can use", "nothing, for training on the CPU; for a GPU: NE_ACCELERATOR=cuda ./ne ... builds with CUDA");
    }

    private static IEnumerable<Finding> MuJoCo()
    {
        MuJoCoLibrary? library = null;
        string problem = "";

        try
        {
            library = MuJoCoLibrary.Current;
        }
        catch (MuJoCoUnavailableException missing)
        {
            problem = missing.Message;
        }

        if (library is null)
        {
            yield return new("libmujoco", false, true, problem, "./ne train brings it from the distribution's packages; or apt-get install libmujoco2.2.2; or set MUJOCO_PATH");
            yield break;
        }

        yield return new("libmujoco", true, true, $"{library.Version} ({library.Path}): {Tested(library)}");

        if (library.HasPlugins)
        {
            yield return Plugins(library.Plugins);
        }
    }

    private static string Tested(MuJoCoLibrary library) => library.IsReference
        ? "the reference, which every test and result here is of"
        : $"its memory layout was checked by a self-test just now, and nothing more; {MuJoCoLibrary.ReferenceVersion} is the reference";

    /// <summary>Really makes an OpenGL context, as pixel tasks and videos do.</summary>
    private static Finding Rendering()
    {
        try
        {
            using OpenGlContext context = OpenGlContext.Open();
            return new("rendering", true, false, context.Description);
        }
        catch (RendererUnavailableException missing)
        {
            return new("rendering", false, false, missing.Reasons, $"nothing, unless you want pixel tasks or videos: {RendererUnavailableException.Packages}");
        }
    }

    private static Finding Processor() =>
        Environment.ProcessorCount >= 2
            ? new("cores", true, false, $"{Environment.ProcessorCount}")
            : new("cores", false, false, $"{Environment.ProcessorCount}", "a run works, but learner and environments share one core");

    private static Finding Memory()
    {
        long bytes = GC.GetGCMemoryInfo().TotalAvailableMemoryBytes;
        return bytes >= LittleMemory
            ? new("memory", true, false, Format.Bytes(bytes))
            : new("memory", false, false, Format.Bytes(bytes), "use a smaller learner.bufferSize; `ne train --dry-run` says what a run takes");
    }

    private static Finding Disk(string runs)
    {
        string folder = ExistingFolder(runs);
        long free = new DriveInfo(folder).AvailableFreeSpace;
        return free >= LittleDisk
            ? new("disk", true, false, $"{Format.Bytes(free)} free at {folder}")
            : new("disk", false, false, $"{Format.Bytes(free)} free at {folder}", "free some, or choose another place with --runs; `ne train --dry-run` says what a run takes");
    }

    /// <summary>Creates, writes and deletes a database where runs will have theirs.</summary>
    private static Finding Sqlite(string runs)
    {
        string folder = ExistingFolder(runs);
        string file = Path.Combine(folder, $".ne-doctor-{Guid.NewGuid():N}.db");

        try
        {
            using (var connection = new SqliteConnection($"Data Source={file};Pooling=False"))
            {
                connection.Open();
                using SqliteCommand command = connection.CreateCommand();
                command.CommandText = "PRAGMA journal_mode=WAL; CREATE TABLE probe (n INTEGER); INSERT INTO probe VALUES (1);";
                command.ExecuteNonQuery();
                command.CommandText = "SELECT sqlite_version();";
                return new("database", true, true, $"SQLite {command.ExecuteScalar()}, writable at {folder}");
            }
        }
        catch (Exception failure) when (failure is SqliteException or IOException or UnauthorizedAccessException)
        {
            return new("database", false, true, $"cannot write at {folder}: {failure.Message}", "give yourself the right to write there, or choose another place with --runs");
        }
        finally
        {
            foreach (string left in (string[])[file, file + "-wal", file + "-shm"])
            {
                File.Delete(left);
            }
        }
    }

    private static Finding Journal(JournalPlace place)
    {
        try
        {
            return new("journal", true, true, JournalServer.Examine(place));
        }
        catch (JournalUnavailableException missing)
        {
            return new("journal", false, true, missing.Message, "make it so, or unset NE_JOURNAL: new runs then have their journals in their own folders");
        }
    }

    private static Finding Video(string? searchPath)
    {
        string? executable = Ffmpeg.Find(searchPath);
        string? version = executable is null ? null : Ffmpeg.Version(executable);
        return version is not null
            ? new("ffmpeg", true, false, $"{version} ({executable})")
            : new(
                "ffmpeg",
                false,
                false,
                executable is null ? "not on the PATH; videos are written as animated PNG" : $"{executable} does not run; videos fail",
                executable is null ? "nothing, unless you want MP4 videos: apt-get install ffmpeg" : "repair it, or take it off the PATH: videos are then written as animated PNG");
    }

    private static async Task<Finding> Seq(string url)
    {
        if (!SeqAddress.IsAddress(url))
        {
            return new("Seq", false, true, $"'{url}' is not the address of a server", "give one such as http://127.0.0.1:5341, or unset NE_SEQ_URL: a run refuses it");
        }

        const string fix = "nothing, for training: events wait in the run's logs/seq-buffer. To have Seq: docker compose -f seq-compose.yml up -d";

        try
        {
            using var client = new HttpClient { Timeout = SeqPatience };
            using HttpResponseMessage answer = await client.GetAsync(new Uri(new Uri(url), "api"));
            return answer.IsSuccessStatusCode
                ? new("Seq", true, false, $"answers at {url}")
                : new("Seq", false, false, $"{url} answers {(int)answer.StatusCode}", fix);
        }
        catch (Exception failure) when (failure is HttpRequestException or TaskCanceledException)
        {
            return new("Seq", false, false, $"{url} does not answer: {failure.Message}", fix);
        }
    }

    /// <summary>The folder, or the nearest one above it that exists.</summary>
    private static string ExistingFolder(string path)
    {
        string folder = Path.GetFullPath(path);

        while (!Directory.Exists(folder))
        {
            folder = Path.GetDirectoryName(folder)!;
        }

        return folder;
    }
}
