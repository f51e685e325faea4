using System.IO.Compression;
using System.Text;
using System.Text.Json;

namespace NE.Actors.Exports;

/// <summary>
/// A file that PyTorch's `torch.load(FILE, weights_only=True)` reads as a state_dict of float tensors: a zip archive, not compressed, of a pickled
/// ordered dictionary and of the values of every tensor. Metadata are in it as JSON that PyTorch does not look at.
/// </summary>
public static class TorchFile
{
    /// <summary>The folder that everything in the archive is in.</summary>
    private const string Folder = "policy";

    /// <summary>Version of the archive's layout.</summary>
    private const string Version = "3\n";

    /// <summary>The oldest time that a zip archive knows: the same policy is the same file.</summary>
    private static readonly DateTimeOffset Written = new(1980, 1, 1, 0, 0, 0, TimeSpan.Zero);

    /// <summary>The bytes of the file; the same for the same tensors and metadata.</summary>
    public static byte[] Bytes(IReadOnlyList<ExportedTensor> tensors, IReadOnlyDictionary<string, string> metadata)
    {
        using var stream = new MemoryStream();
        using (var archive = new ZipArchive(stream, ZipArchiveMode.Create, leaveOpen: true))
        {
            Add(archive, "data.pkl", StateDict(tensors));
            Add(archive, "byteorder", "little"u8);
            Add(archive, "extra/metadata.json", JsonSerializer.SerializeToUtf8Bytes(metadata));
            for (var i = 0; i < tensors.Count; i++)
            {
                Add(archive, $"data/{i}", tensors[i].Bytes);
            }
            Add(archive, "version", Encoding.ASCII.GetBytes(Version));
        }
        return stream.ToArray();
    }

    private static void Add(ZipArchive archive, string name, ReadOnlySpan<byte> content)
    {
        var entry = archive.CreateEntry($"{Folder}/{name}", CompressionLevel.NoCompression);
        entry.LastWriteTime = Written;
        using var target = entry.Open();
        target.Write(content);
    }

    /// <summary>OrderedDict of names to tensors; tensor i is all of storage i.</summary>
    private static byte[] StateDict(IReadOnlyList<ExportedTensor> tensors)
    {
        var pickle = new PickleWriter();
        pickle.EmptyCall("collections", "OrderedDict");
        pickle.Items(() =>
        {
            for (var i = 0; i < tensors.Count; i++)
            {
                Tensor(pickle, tensors[i], i);
            }
        });
        return pickle.Stop();
    }

    private static void Tensor(PickleWriter pickle, ExportedTensor tensor, int storage)
    {
        pickle.Text(tensor.Name);
        pickle.Call("torch._utils", "_rebuild_tensor_v2", () =>
        {
            pickle.Stored(() =>
            {
                pickle.Text("storage");
                pickle.Global("torch", "FloatStorage");
                pickle.Text($"{storage}");
                pickle.Text("cpu");
                pickle.Number(tensor.Values.Length);
            });
            pickle.Number(0);
            pickle.Tuple(() => tensor.Shape.ToList().ForEach(pickle.Number));
            pickle.Tuple(() => Strides(tensor.Shape).ToList().ForEach(pickle.Number));
            pickle.False();
            // Hooks of a gradient that it has not.
            pickle.EmptyCall("collections", "OrderedDict");
        });
    }

    /// <summary>Elements from one to the next along every axis of a row-major tensor.</summary>
    private static IEnumerable<int> Strides(IReadOnlyList<int> shape) =>
        Enumerable.Range(0, shape.Count).Select(axis => shape.Skip(axis + 1).Aggregate(1, (product, size) => product * size));
}
