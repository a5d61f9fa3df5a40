# What goes beyond one conversion, against the real command line: files that carry packages, migrations, how the program is found and run.
BeforeAll {
    . (Join-Path $PSScriptRoot 'Images.ps1')
}

AfterAll { Pop-Location }

Describe 'Export- and Import-ContainerPackage' {
    BeforeAll {
        $null = New-Item -ItemType Directory -Path transfer
    }

    It 'write nothing with -WhatIf' {
        Export-ContainerPackage "inbox:${Repository}:Shop" -Path transfer -WhatIf | Should -BeNullOrEmpty
        Get-ChildItem transfer | Should -BeNullOrEmpty
        Import-ContainerPackage one.appx -Repository imported -WhatIf | Should -BeNullOrEmpty
        Test-Path imported | Should -BeFalse
    }

    It 'carry packages through files, by the pipeline' {
        $made = Get-ContainerPackage "inbox:$Repository" | Export-ContainerPackage -Path transfer -WarningAction SilentlyContinue
        $made.Count | Should -Be 3
        $made[0].PSObject.TypeNames[0] | Should -Be Transship.Conversion
        (Get-ChildItem transfer).Name | Should -Contain 'CN=Contoso_Shop_1.2.0.0.appx'
        $taken = Get-ChildItem transfer | Import-ContainerPackage -Repository imported -Base "inbox:$Repository"
        $taken.Count | Should -Be 3
        (Get-ContainerPackage inbox:imported).Identity | Should -Be (Get-ContainerPackage "inbox:$Repository").Identity
        Test-ContainerPackage inbox:imported -Quiet | Should -BeTrue
    }

    It 'write errors for what is not there' {
        (Get-Failure { Export-ContainerPackage inbox:missing -Path transfer }).FullyQualifiedErrorId | Should -Be 'NOT_FOUND,Export-ContainerPackage'
        (Get-Failure { Import-ContainerPackage missing.appx -Repository imported }).FullyQualifiedErrorId | Should -Be 'NOT_FOUND,Import-ContainerPackage'
    }
}

Describe 'Invoke-ContainerMigration' {
    It 'tells with -WhatIf what it would do, and writes nothing' {
        $plan = Invoke-ContainerMigration -Source images -Destination inbox:estate -WhatIf
        $plan.PSObject.TypeNames[0] | Should -Be Transship.MigrationPlan
        $plan.Items.source | Should -Be 'docker-archive:images/shop one.tar', 'docker-archive:images/shop two.tar'
        Test-Path transship-migration.json | Should -BeFalse
        Test-Path estate | Should -BeFalse
    }

    It 'converts a folder, and finds everything done the next time' {
        $items = Invoke-ContainerMigration -Source images -Destination inbox:estate
        $items.State | Should -Be converted, converted
        $items[0].PSObject.TypeNames[0] | Should -Be Transship.MigrationItem
        $items[0].Result.artifacts.Count | Should -BeGreaterThan 0
        (Get-Item transship-migration.json | Invoke-ContainerMigration).State | Should -Be already-done, already-done
        $before = Invoke-ContainerMigration transship-migration.json -WhatIf
        $before.Items.state | Should -Be already-done, already-done
        @($before.Space).Count | Should -BeGreaterOrEqual 0
    }

    It 'writes an error for each item that failed, and warns of files that are no archives' {
        $null = New-Item -ItemType Directory -Path mixed-images
        Copy-Item $Shop mixed-images/good.tar
        Copy-Item $Damaged mixed-images/cut.tar
        Set-Content mixed-images/notes.txt 'no archive'
        $items = Invoke-ContainerMigration -Source mixed-images -Destination inbox:mixed-estate -Plan mixed.json -ErrorAction SilentlyContinue -ErrorVariable failures -WarningVariable warnings -WarningAction SilentlyContinue
        "$warnings" | Should -BeLike '*notes.txt*'
        # The one that is cut is either an item that fails or a file that is told as passed over; never neither.
        if ($items | Where-Object State -EQ failed) {
            $failures[0].FullyQualifiedErrorId | Should -Match '^[A-Z_]+,Invoke-ContainerMigration$'
            $failures[0].TargetObject.Source | Should -BeLike '*cut.tar'
        }
        else { "$warnings" | Should -BeLike '*cut.tar*' }
        ($items | Where-Object Source -Like '*good.tar').State | Should -Be converted
    }

    It 'writes an error for a plan that is not valid' {
        Set-Content bad.yaml 'version: 1'
        (Get-Failure { Invoke-ContainerMigration bad.yaml }).FullyQualifiedErrorId | Should -Be 'PLAN_INVALID,Invoke-ContainerMigration'
        (Get-Failure { Invoke-ContainerMigration -Source images -Destination inbox:x -Plan elsewhere/plan.json }).FullyQualifiedErrorId | Should -Be 'BAD_OPTION,Invoke-ContainerMigration'
    }

    It 'counts what the lines of a journal tell, torn ones aside' {
        Set-Content one.journal '{"kind":"begun","key":"k","id":"a"}', '{"kind":"done","key":"k","id":"a"}', '{"kind":"begun","key":"l","id":"b \" c"}', '{"kind":"failed","key":"m","id":"d"}', '{"kind":"do'
        $state = InModuleScope Transship { Get-JournalState -Path one.journal }
        $state.Done, $state.Failed, "$($state.Running)" | Should -Be 1, 1, 'b \" c'
    }
}

Describe 'Export- and Import-ComputeLayer' {
    It 'say nothing but what they would do with -WhatIf' {
        Export-ComputeLayer runtime layout -WhatIf | Should -BeNullOrEmpty
        Import-ComputeLayer layout runtime -WhatIf | Should -BeNullOrEmpty
    }

    It 'are refused off Windows, by folders from the pipeline too' -Skip:($IsWindows) {
        (Get-Failure { Get-Item $Images | Export-ComputeLayer -Destination layout }).FullyQualifiedErrorId | Should -Be 'WINDOWS_ONLY,Export-ComputeLayer'
        (Get-Failure { Get-Item $Images | Import-ComputeLayer -Destination runtime -Parent a, b }).FullyQualifiedErrorId | Should -Be 'WINDOWS_ONLY,Import-ComputeLayer'
    }
}

Describe 'Arguments' {
    It 'reach a program as they are: <_>' -ForEach '', 'a b', 'a"b', '"', 'a\', 'a b\', 'a\"b', '\\server\share dir\', "it's", '$x `y', 'a&b|c>d<e^f%g%', 'tab	stop', "caf$([char] 0xe9)" {
        $start = @{ FileName = (Get-Command node).Path; Before = @('-e', 'process.stdout.write(JSON.stringify(process.argv.slice(1)))', '--') }
        $ended = InModuleScope Transship -Parameters @{ start = $start; text = $_ } { param($start, $text) Invoke-Program -Start $start -ArgumentList 'first', $text, 'last' }
        ($ended.Output | ConvertFrom-Json) -ceq $_ | Should -Contain $_
        @($ended.Output | ConvertFrom-Json).Count | Should -Be 3
    }
}

Describe 'The command line' {
    AfterEach { $env:TRANSSHIP = $null }

    It 'is the one of $env:TRANSSHIP, first of all' {
        $env:TRANSSHIP = Join-Path $Project 'dist/src/main.js'
        (InModuleScope Transship { Find-Transship }).Before | Should -Be $env:TRANSSHIP
        Get-ContainerPackage $Shop | Should -Not -BeNullOrEmpty
    }

    It 'is an error with advice where $env:TRANSSHIP leads nowhere' {
        $env:TRANSSHIP = '/nowhere/transship'
        $failure = Get-Failure { Get-ContainerPackage $Shop }
        $failure[0].FullyQualifiedErrorId | Should -Be 'TOOL_MISSING,Get-ContainerPackage'
        $failure[0].CategoryInfo.Category | Should -Be NotInstalled
        $failure[0].ErrorDetails.RecommendedAction | Should -BeLike '*npm install*'
    }

    It 'is found beside the module, then on PATH' {
        $copy = Join-Path $Drive modules/Transship
        Copy-Item -LiteralPath $ModulePath -Destination $copy -Recurse -Force
        $bin = (New-Item -ItemType Directory -Path (Join-Path $Drive bin)).FullName
        $script = "#!/bin/sh`nexec node '$(Join-Path $Project 'dist/src/main.js')' `"`$@`"`n"
        $onPath = Join-Path $bin transship
        Set-Content -LiteralPath $onPath -Value $script -NoNewline
        $path = $env:PATH
        $work = { param($copy) Import-Module (Join-Path $copy Transship.psd1); & (Get-Module Transship) { $start = Find-Transship; if ($start) { $start.FileName } } }
        try {
            chmod +x $onPath
            $env:PATH = "$bin$([System.IO.Path]::PathSeparator)$path"
            [powershell]::Create().AddScript($work).AddArgument($copy).Invoke() | Should -Be $onPath
            $beside = Join-Path $Drive modules/transship
            Copy-Item -LiteralPath $onPath -Destination $beside
            [powershell]::Create().AddScript($work).AddArgument($copy).Invoke() | Should -Be $beside
        }
        finally { $env:PATH = $path }
    }

    It 'runs in a job, whose objects keep their type' {
        $job = Start-Job { param($module, $shop) Import-Module $module; Get-ContainerPackage $shop } -ArgumentList (Join-Path $ModulePath 'Transship.psd1'), $Shop
        $package = $job | Wait-Job -Timeout 120 | Receive-Job
        $package.PSObject.TypeNames | Should -Contain Deserialized.Transship.Package
        $package.Reference | Should -BeLike 'docker-archive:*'
    }

    It 'tells what it does once it takes a while' {
        $start = @{ FileName = (Get-Command node).Path; Before = @('-e', 'setTimeout(() => console.log("{}"), 1500)') }
        $shell = [powershell]::Create()
        $null = $shell.AddScript({ param($module, $start) Import-Module $module; & (Get-Module Transship) { param($start) Invoke-Program -Start $start -ArgumentList 'x' -Activity 'Working' } $start }).AddArgument($ModulePath).AddArgument($start)
        $null = $shell.Invoke()
        $records = $shell.Streams.Progress | Where-Object Activity -EQ Working
        $records[0].StatusDescription | Should -Match '^\d\d:\d\d:\d\d$'
        $records[-1].RecordType | Should -Be Completed
    }

    It 'is ended when the pipeline is stopped' {
        $start = @{ FileName = (Get-Command node).Path; Before = @('-e', 'process.on("SIGTERM", () => { require("fs").writeFileSync(process.argv[1], "asked"); process.exit(0) }); require("fs").writeFileSync(process.argv[1], "begun"); setTimeout(() => undefined, 60000)', '--') }
        $mark = Join-Path $Drive ended.txt
        $shell = [powershell]::Create()
        $null = $shell.AddScript({ param($module, $start, $mark) Import-Module $module; & (Get-Module Transship) { param($start, $mark) Invoke-Program -Start $start -ArgumentList $mark } $start $mark }).AddArgument($ModulePath).AddArgument($start).AddArgument($mark)
        $running = $shell.BeginInvoke()
        $watch = [System.Diagnostics.Stopwatch]::StartNew()
        while (-not (Test-Path -LiteralPath $mark) -and $watch.Elapsed.TotalSeconds -lt 60) { Start-Sleep -Milliseconds 50 }
        $shell.Stop()
        $running.IsCompleted | Should -BeTrue
        Get-Content $mark | Should -Be asked
    }
}

Describe 'Completion' {
    BeforeAll {
        function Get-Offer([string] $Line) {
            (TabExpansion2 -inputScript $Line -cursorColumn $Line.Length).CompletionMatches.CompletionText
        }
        $null = Convert-ContainerPackage $Shop inbox:offered -Layers chain
    }

    It 'offers transports' { Get-Offer 'Get-ContainerPackage in' | Should -Contain inbox: }
    It 'offers paths behind a transport' { Get-Offer 'Test-ContainerPackage inbox:./offe' | Should -Be inbox:./offered }
    It 'offers packages behind a repository' {
        Get-Offer 'Test-ContainerPackage inbox:./offered:' | Should -Contain 'inbox:./offered:CN=contoso_shop_1.2.0.0'
        Get-Offer 'Test-ContainerPackage inbox:./offered:CN=M' | Should -Be 'inbox:./offered:CN=Microsoft_WindowsServerCore_10.0.14393.206'
    }
    It 'offers images behind an archive, quoted where they must be' {
        Get-Offer "Convert-ContainerPackage 'docker-archive:images/shop one.tar:" | Should -Be "'docker-archive:images/shop one.tar:contoso/shop:1.2.0'"
    }
    It 'offers the tags of the source' { Get-Offer "Convert-ContainerPackage $Shop x -Tag c" | Should -Be 'contoso/shop:1.2.0' }
    It 'offers the words of options' {
        Get-Offer 'Convert-ContainerPackage a b -Layers ' | Should -Be chain, squash
        Get-Offer 'Convert-ContainerPackage a b -Compression z' | Should -Be zstd
    }
    It 'offers nothing, and no error, for what is not there' { Get-Offer 'Test-ContainerPackage inbox:./missing:' | Should -BeNullOrEmpty }
}
