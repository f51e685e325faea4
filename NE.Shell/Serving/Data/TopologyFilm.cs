using NE.Actors.Checkpoints;
using NE.Actors.Journal;
using NE.Actors.RunDirectory;
using NE.Model;
using NE.Model.Runs;
using NE.Shell.RunFiles;

namespace NE.Shell.Serving.Data;

/// <summary>
/// The masks of a run after any of its topology events: those of the last checkpoint, with the events since taken back. Read again when the journal has grown.
/// </summary>
internal sealed class TopologyFilm(RunPaths paths)
{
    /// <param name="Run">Id of the run: one that was begun anew under the same name has commits of the same numbers.</param>
    /// <param name="Newest">Its newest commit.</param>
    private sealed record Reel(string Run, long Newest, History.TopologyChanged[] Events, PackedMasks Masks);

    private readonly Lock gate = new();
    private Reel? reel;

    /// <summary>Oldest first.</summary>
    /// <param name="run">Id of the run, read before.</param>
    public IReadOnlyList<TopologyEventSummary> Events(string run) => [.. this.Load(run).Events.Select(Summary)];

    /// <summary>Null when there is no such event.</summary>
    public TopologyFrame? Frame(string run, int index)
    {
        Reel loaded = this.Load(run);

        if (index < -1 || index >= loaded.Events.Length)
        {
            return null;
        }

        PackedMasks masks = loaded.Events.Skip(index + 1).Reverse().Aggregate(loaded.Masks, (after, change) => PackedMasksModule.revert(change, after));
        History.TopologyChanged? happened = index < 0 ? null : loaded.Events[index];
        Dictionary<string, int[]> widths = this.Widths();
        return new(index, happened is null ? null : Summary(happened), [.. masks.Layers.Select(mask => Layer(mask, happened, loaded.Events.AsSpan(0, index + 1), widths))]);
    }

    private Reel Load(string run)
    {
        lock (this.gate)
        {
            using JournalReader? journal = JournalReader.TryOpen(paths);

            if (journal?.Manifests() is not [var manifest, ..] || !manifest.Components.TryGetValue(CheckpointManifest.Masks, out ComponentRef? masks))
            {
                return new(run, 0, [], PackedMasksModule.empty);
            }

            if (this.reel is { } read && read.Run == run && read.Newest == manifest.CommitId)
            {
                return read;
            }

            // A commit that came after the manifest was read brought events that its masks do not have.
            History.TopologyChanged[] events =
            [
                .. journal.Events()
                    .Where(stored => stored.CommitId <= manifest.CommitId)
                    .Select(stored => stored.Event)
                    .OfType<History.RunEvent.TopologyChanged>()
                    .Select(changed => changed.Item2),
            ];
            this.reel = new(run, manifest.CommitId, events, PackedMasksModule.ofBytes(new BlobStore(paths.Blobs).Get(masks)));
            return this.reel;
        }
    }

    private static TopologyEventSummary Summary(History.TopologyChanged change) => new(
        change.Step,
        change.Network,
        change.Layers.Sum(layer => layer.Grown.Length),
        change.Layers.Sum(layer => layer.Pruned.Length),
        change.Layers.Sum(layer => layer.Touched.Length),
        change.Layers.Sum(layer => layer.Dormant),
        change.OutputShift);

    private static LayerFrame Layer(PackedMask mask, History.TopologyChanged? happened, ReadOnlySpan<History.TopologyChanged> past, Dictionary<string, int[]> widths)
    {
        MaskKey key = mask.Key;
        History.LayerChange? now = happened is not null && happened.Network == key.Network ? Change(happened, key) : null;
        History.LayerChange? newest = null;

        for (int i = past.Length - 1; i >= 0 && newest is null; i--)
        {
            newest = past[i].Network == key.Network ? Change(past[i], key) : null;
        }

        int[] known = widths.GetValueOrDefault(key.Network, []);
        // The widths of a network that was never measured are not known: its matrix is drawn as one row.
        int outputs = key.Layer < known.Length && known[key.Layer] > 0 && mask.Size % known[key.Layer] == 0 ? known[key.Layer]
            : key.Layer > 0 && key.Layer <= known.Length && mask.Size % known[key.Layer - 1] == 0 ? mask.Size / known[key.Layer - 1]
            : 1;
        return new(
            key.Network, key.Stack, key.Layer, outputs, mask.Size / outputs, PackedMasksModule.active(key, new([mask])), newest?.Dormant, mask.Bits,
            now?.Grown ?? [], now?.Pruned ?? [], now?.Touched ?? []);
    }

    private static History.LayerChange? Change(History.TopologyChanged change, MaskKey key) =>
        change.Layers.FirstOrDefault(layer => layer.Stack == key.Stack && layer.Layer == key.Layer);

    /// <summary>Outputs of the layers of each network, from the oldest rows of layers.csv.</summary>
    private Dictionary<string, int[]> Widths()
    {
        const int Rows = 64;
        string[] head = File.Exists(paths.Layers) ? [.. ReadShared(paths.Layers).Take(Rows + 1)] : [];
        var table = CsvTable.Parse(string.Concat(head.Select(line => line + "\n")));
        return Enumerable.Range(0, table.Rows)
            .Select(row => (Network: table.Text(row, "network"), Layer: (int)table.Number(row, "layer"), Width: (int)table.Number(row, "width")))
            .Where(row => row.Layer >= 0)
            .GroupBy(row => row.Network)
            .ToDictionary(
                network => network.Key,
                network => Enumerable.Range(0, network.Max(row => row.Layer) + 1).Select(layer => network.FirstOrDefault(row => row.Layer == layer).Width).ToArray());
    }

    private static IEnumerable<string> ReadShared(string file)
    {
        using FileStream stream = File.Open(file, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
        using var reader = new StreamReader(stream);

        while (reader.ReadLine() is { } line)
        {
            yield return line;
        }
    }
}
