using System.Globalization;
using NE.Actors.Evaluation;
using NE.Shell.Host;
using Spectre.Console;

namespace NE.Shell.Views;

/// <summary>Returns and lengths of episodes, one per row.</summary>
internal static class EpisodeTable
{
    public static Table Of(EpisodeResults results)
    {
        Table table = Tables.Create(">episode", ">return", ">steps");

        for (int episode = 0; episode < results.Returns.Length; episode++)
        {
            table.Add(episode.ToString(CultureInfo.InvariantCulture), Format.Value(results.Returns[episode]), Format.Count(results.Lengths[episode]));
        }

        return table;
    }
}
