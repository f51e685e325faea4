using System.Text.Json;
using NE.Actors.Fleet;
using NE.Actors.Fleet.Cells;
using NE.Actors.RunDirectory;
using NE.Shell.Host;
using NE.Shell.Sweeps.Planning;
using NE.Shell.Sweeps.Processes;

namespace NE.Shell.Sweeps.Fleet;

/// <summary>Works on sweeps where a node coordinates them: the same checks, files and decisions as on one machine, with the fleet's nodes for its cells.</summary>
/// <param name="host">The outside world.</param>
/// <param name="runs">Folder of the runs, shared by all nodes.</param>
/// <param name="coresPerCell">As this node reckons.</param>
/// <param name="journal">Where the journals of cells go when a sweep does not say; null for their own folders.</param>
internal sealed class FleetSweepHost(ShellHost host, string runs, int coresPerCell, JournalPlace? journal) : ISweepHost
{
    public ICoordinatedSweep Begin(string submission, bool again, ICellPlaces cells)
    {
        SubmittedSweep submitted = SubmittedSweep.Read(submission);

        try
        {
            var sweep = CheckedSweep.Of(SweepPlanner.Of(submitted.Sweep, "the sweep that was handed over", host), runs);
            JournalPlace? place = submitted.AsksForJournal ? submitted.Journal : submitted.Journal ?? journal;
            SweepStart start = SweepStart.Prepare(sweep, submitted.Text, place, submitted.AsksForJournal && !again, host);
            return new CoordinatedSweep(start, start.Run(host, new FleetCells(cells, coresPerCell), submitted.RetryFailed && !again, submitted.Seq));
        }
        catch (Exception refusal) when (refusal is UserError or ShellFailure || Failures.IsUserError(refusal) || Failures.IsExpected(refusal))
        {
            throw new FleetException(refusal.Message);
        }
    }

    private sealed class CoordinatedSweep : ICoordinatedSweep
    {
        private const int KeptNews = 200;

        private readonly SweepRun run;
        private readonly string coordinator = Guid.NewGuid().ToString("N");
        private readonly Lock gate = new();
        private readonly List<string> news = [];
        private int dropped;

        public CoordinatedSweep(SweepStart start, SweepRun run)
        {
            this.run = run;
            this.Name = start.Plan.Name;
            this.Greeting = string.Join('\n', (string[])[.. start.Notes, run.Basis]);
            this.Work = Task.Run(async () =>
            {
                using (start)
                {
                    await run.Work();
                }
            });
        }

        public string Name { get; }

        public string Greeting { get; }

        public Task Work { get; }

        public string Status
        {
            get
            {
                lock (this.gate)
                {
                    // Work that failed begins again.
                    bool ended = this.Work.IsCompletedSuccessfully;

                    while (this.run.News.TryDequeue(out string? line))
                    {
                        this.news.Add(line);
                    }

                    int excess = Math.Max(0, this.news.Count - KeptNews);
                    this.news.RemoveRange(0, excess);
                    this.dropped += excess;
                    return JsonSerializer.Serialize(new ShownSweep(this.run.Status, this.news, this.dropped, this.coordinator, ended), Json.Options);
                }
            }
        }

        public void RequestStop(string reason) => this.run.RequestStop(reason);

        public void Abandon() => this.run.Abandon();
    }
}
