namespace NE.Actors.Stores;

/// <summary>A server that should have a journal cannot be used now. The message says why and what to do; it has no part of a login.</summary>
public sealed class JournalUnavailableException(string message, Exception? inner = null) : IOException(message, inner);

/// <summary>Another process has taken the run over; this one must not write to its journal any more, and the server lets it not.</summary>
public sealed class JournalLeaseException(string message) : IOException(message);
