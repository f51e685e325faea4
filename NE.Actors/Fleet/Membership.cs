using Akka.Cluster;

namespace NE.Actors.Fleet;

/// <summary>Whether a process is a part of its fleet.</summary>
internal static class Membership
{
    /// <summary>It has come and does not leave. One that has joined counts before all have agreed that it is there.</summary>
    public static bool IsHere(this Member member) => member.Status is MemberStatus.Joining or MemberStatus.WeaklyUp or MemberStatus.Up;
}
