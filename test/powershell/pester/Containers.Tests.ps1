# Real containers of dockerd, containerd and Podman. The test around it starts the managers and by-docker, by-podman,
# by-ctr and by-kubernetes, and a stubborn one of each kind, and says by DOCKER_HOST and its like where they listen.
BeforeAll { . (Join-Path $PSScriptRoot 'Setup.ps1') }

Describe 'Containers of real managers' {
    It 'are listed once each, with the manager that made them' {
        $containers = Get-ComputeContainer -All | Where-Object Name -Like by-*
        $containers | Sort-Object Name | ForEach-Object { "$($_.Name) $($_.Manager)" } | Should -Be 'by-ctr containerd', 'by-docker docker', 'by-kubernetes kubernetes', 'by-podman podman'
        $containers[0].PSObject.TypeNames[0] | Should -Be Transship.Container
        $running = Get-ComputeContainer by-docker
        $running.State, $running.Os | Should -Be running, linux
        $running.MemoryBytes | Should -BeGreaterThan 0
        $running.StartedAt | Should -BeOfType datetime
        (Get-ComputeContainer -Manager podman).Name | Sort-Object | Should -Be by-podman, stubborn-podman
    }

    It 'fit a table of 80 columns' {
        foreach ($line in (Get-ComputeContainer | Out-String -Width 80) -split "`n") { $line.TrimEnd().Length | Should -BeLessOrEqual 80 }
    }

    It 'are offered by Tab' {
        $line = 'Stop-ComputeContainer by-d'
        (TabExpansion2 -inputScript $line -cursorColumn $line.Length).CompletionMatches.CompletionText | Should -Be by-docker
        $line = 'Get-ComputeContainer -Manager kub'
        (TabExpansion2 -inputScript $line -cursorColumn $line.Length).CompletionMatches.CompletionText | Should -Be kubernetes
    }

    It 'are errors when there is none of that name' {
        (Get-Failure { Get-ComputeContainer nothing }).FullyQualifiedErrorId | Should -Be 'NOT_FOUND,Get-ComputeContainer'
        (Get-Failure { Wait-ComputeContainer nothing }).FullyQualifiedErrorId | Should -Be 'NOT_FOUND,Wait-ComputeContainer'
        (Get-Failure { Stop-ComputeContainer nothing -Confirm:$false }).FullyQualifiedErrorId | Should -Be 'NOT_FOUND,Stop-ComputeContainer'
        (Get-Failure { Stop-ComputeContainer by- -Confirm:$false }).FullyQualifiedErrorId | Should -Be 'AMBIGUOUS_SELECTION,Stop-ComputeContainer'
    }

    It 'go on with -WhatIf' {
        Get-ComputeContainer by-* | Stop-ComputeContainer -WhatIf
        @(Get-ComputeContainer by-*).Count | Should -Be 4
    }

    It 'are waited for no longer than is given' {
        $failures = Get-Failure { Wait-ComputeContainer by-docker -TimeoutSeconds 1 }
        $failures.FullyQualifiedErrorId | Should -Be 'TIMED_OUT,Wait-ComputeContainer'
        $failures.CategoryInfo.Category | Should -Be OperationTimeout
    }

    It 'stop when they are asked to, by the pipeline, and are waited for' {
        $names = Get-ComputeContainer by-* | Sort-Object Name
        $ended = $names | Stop-ComputeContainer -TimeoutSeconds 20 -Confirm:$false -PassThru
        $ended.Outcome | Should -Be stopped, stopped, stopped, stopped
        $ended.Via | ForEach-Object { ($_ -split ' ')[0] } | Should -Be containerd, docker, containerd, podman
        $waited = $names | Wait-ComputeContainer -TimeoutSeconds 30 -PassThru
        $waited.Count | Should -Be 4
        $waited.State | Sort-Object -Unique | Should -Be stopped
        Get-ComputeContainer by-* | Should -BeNullOrEmpty
        (Stop-ComputeContainer by-docker -Confirm:$false -PassThru).Outcome | Should -Be already-stopped
    }

    It 'go on when they ignore the request, as an error, and are killed with -Force' {
        $failures = Get-Failure { Stop-ComputeContainer stubborn-docker, stubborn-podman, stubborn-ctr -TimeoutSeconds 1 -Confirm:$false }
        $failures.FullyQualifiedErrorId | Should -Be (@('TIMED_OUT,Stop-ComputeContainer') * 3)
        (Get-ComputeContainer stubborn-*).Count | Should -Be 3
        # The engine itself kills what a stop with a time does not end, and calls it stopped.
        $killed = Get-ComputeContainer stubborn-docker | Stop-ComputeContainer -Force -TimeoutSeconds 1 -Confirm:$false -PassThru
        $killed.Outcome | Should -Be stopped
        $killed = Stop-ComputeContainer stubborn-podman, stubborn-ctr -Force -TimeoutSeconds 0 -Confirm:$false -PassThru
        $killed.Outcome | Should -Be killed, killed
        Get-ComputeContainer | Should -BeNullOrEmpty
    }
}
