// One test at a time: should one crash the process, it is known which.
[assembly: Xunit.CollectionBehavior(DisableTestParallelization = true)]
