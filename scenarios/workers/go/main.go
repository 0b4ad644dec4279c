// SPDX-License-Identifier: Apache-2.0

// Copies records from one topic to another, exactly once, with franz-go. Everything comes from the
// environment: see README.md in the folder above. SIGTERM ends the worker after its transaction; any
// error that it cannot recover from ends it with 1.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"runtime/debug"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
)

const (
	pollTimeout  = 250 * time.Millisecond
	endTimeout   = 30 * time.Second
	beginTimeout = 20 * time.Second
	beginPause   = 50 * time.Millisecond
	// What could not be sent is sent again with fresh metadata only. The default lets a transaction
	// wait for 5 s, which may be longer than it may last.
	metadataAge = 250 * time.Millisecond
)

type config struct {
	bootstrap                          []string
	group, input, output, id, bug      string
	batch                              int
	transaction, session, work, giveUp time.Duration
}

func fatal(format string, args ...any) {
	fmt.Printf("fatal: "+format+"\n", args...)
	os.Exit(1) // an open transaction is left to the next process with this id
}

func text(name string) string {
	v := os.Getenv(name)
	if v == "" {
		fatal("the environment lacks %s", name)
	}
	return v
}

func number(name string, preset int) int {
	v := os.Getenv(name)
	if v == "" {
		return preset
	}
	n, err := strconv.Atoi(v)
	if err != nil {
		fatal("%s: %s is not a number", name, v)
	}
	return n
}

func millis(name string, preset int) time.Duration {
	return time.Duration(number(name, preset)) * time.Millisecond
}

func read() config {
	c := config{
		bootstrap:   strings.Split(text("BOOTSTRAP"), ","),
		group:       text("GROUP"),
		input:       text("INPUT"),
		output:      text("OUTPUT"),
		id:          text("TRANSACTIONAL_ID"),
		bug:         os.Getenv("BUG"),
		batch:       number("BATCH", 10),
		transaction: millis("TRANSACTION_TIMEOUT_MS", 10000),
		session:     millis("SESSION_TIMEOUT_MS", 6000),
		work:        millis("WORK_MS", 0),
		giveUp:      millis("GIVE_UP_MS", 0),
	}
	switch c.bug {
	case "", "none", "offsets-after-transaction", "no-rewind", "auto-commit":
	default:
		fatal("BUG: there is no bug '%s'", c.bug)
	}
	return c
}

func (c config) consuming() []kgo.Opt {
	heartbeat := c.session / 6
	if heartbeat < 100*time.Millisecond {
		heartbeat = 100 * time.Millisecond
	}
	return []kgo.Opt{
		kgo.SeedBrokers(c.bootstrap...),
		kgo.ConsumerGroup(c.group),
		kgo.ConsumeTopics(c.input),
		kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()),
		kgo.FetchIsolationLevel(kgo.ReadCommitted()),
		kgo.RequireStableFetchOffsets(),
		kgo.SessionTimeout(c.session),
		kgo.HeartbeatInterval(heartbeat),
	}
}

func (c config) producing() []kgo.Opt {
	return []kgo.Opt{
		kgo.SeedBrokers(c.bootstrap...),
		kgo.TransactionalID(c.id),
		kgo.TransactionTimeout(c.transaction),
		kgo.MetadataMinAge(metadataAge),
		kgo.DefaultProduceTopic(c.output),
	}
}

type poller interface {
	PollRecords(ctx context.Context, max int) kgo.Fetches
}

// gather returns some records, or none when there are none for a moment.
func gather(p poller, max int) []*kgo.Record {
	ctx, cancel := context.WithTimeout(context.Background(), pollTimeout)
	defer cancel()
	fetches := p.PollRecords(ctx, max)
	fetches.EachError(func(topic string, partition int32, err error) {
		if !errors.Is(err, context.DeadlineExceeded) {
			fmt.Printf("fetching %s[%d]: %v\n", topic, partition, err)
		}
	})
	return fetches.Records()
}

type producer interface {
	Produce(ctx context.Context, r *kgo.Record, promise func(*kgo.Record, error))
}

func copyAll(c config, p producer, records []*kgo.Record, failed *kgo.FirstErrPromise) {
	for _, r := range records {
		time.Sleep(c.work)
		// each record needs a promise of its own
		p.Produce(context.Background(), &kgo.Record{Key: r.Key, Value: r.Value}, failed.Promise())
	}
}

// begin begins a transaction. An error that is not Kafka's means that there is no producer id yet: as
// long as the transaction of a process before this one is being aborted.
func begin(session *kgo.GroupTransactSession) error {
	for until := time.Now().Add(beginTimeout); ; time.Sleep(beginPause) {
		err := session.Begin()
		var kafka *kerr.Error
		if err == nil || errors.As(err, &kafka) || time.Now().After(until) {
			return err
		}
	}
}

// end ends the transaction of the records, and says whether it has committed. Without an error it
// stands where the group does: a session goes back to the committed offsets after an abort.
func end(session *kgo.GroupTransactSession, try kgo.TransactionEndTry) (bool, error) {
	ctx, cancel := context.WithTimeout(context.Background(), endTimeout)
	defer cancel()
	return session.End(ctx, try)
}

// step copies some records in a transaction. BUG=no-rewind undoes the going back after an abort.
func step(c config, session *kgo.GroupTransactSession) error {
	records := gather(session, c.batch)
	if len(records) == 0 {
		return nil
	}
	if err := begin(session); err != nil {
		return fmt.Errorf("begin: %w", err)
	}
	begun := time.Now()
	failed := kgo.AbortingFirstErrPromise(session.Client())
	copyAll(c, session, records, failed)
	late := c.giveUp > 0 && time.Since(begun) > c.giveUp
	committed, err := end(session, kgo.TransactionEndTry(failed.Err() == nil && !late))
	if err != nil {
		return fmt.Errorf("end: %w", err)
	}
	if !committed {
		fmt.Printf("aborted: late %v, error %v\n", late, failed.Err())
		if c.bug == "no-rewind" {
			session.Client().SetOffsets(behind(records))
		}
	}
	return nil
}

// The right worker. It leaves the group also when it fails: else nobody would get its partitions, and
// no rebalance would end, until its session is over. The open transaction is left to the next process.
func right(c config, stop context.Context) {
	session, err := kgo.NewGroupTransactSession(append(c.consuming(), c.producing()...)...)
	if err != nil {
		fatal("%v", err)
	}
	for stop.Err() == nil && err == nil {
		err = step(c, session)
	}
	session.Close()
	if err != nil {
		fatal("%v", err)
	}
}

// behind returns the position behind the records.
func behind(records []*kgo.Record) map[string]map[int32]kgo.EpochOffset {
	at := map[string]map[int32]kgo.EpochOffset{}
	for _, r := range records {
		if at[r.Topic] == nil {
			at[r.Topic] = map[int32]kgo.EpochOffset{}
		}
		at[r.Topic][r.Partition] = kgo.EpochOffset{Epoch: r.LeaderEpoch, Offset: r.Offset + 1}
	}
	return at
}

// apart copies in transactions that hold no offsets: the consumer commits them by itself.
func apart(c config, consumer, producer *kgo.Client, records []*kgo.Record) {
	if err := producer.BeginTransaction(); err != nil {
		fatal("begin: %v", err)
	}
	failed := kgo.AbortingFirstErrPromise(producer)
	copyAll(c, producer, records, failed)
	ctx, cancel := context.WithTimeout(context.Background(), endTimeout)
	defer cancel()
	err := failed.Err()
	if err == nil {
		err = producer.EndTransaction(ctx, kgo.TryCommit)
	}
	if err != nil {
		fatal("transaction: %v", err) // the next process reads these records again
	}
	if c.bug == "offsets-after-transaction" {
		if err := consumer.CommitUncommittedOffsets(ctx); err != nil {
			fmt.Printf("offsets not committed: %v\n", err)
		}
	}
}

func client(options []kgo.Opt) *kgo.Client {
	c, err := kgo.NewClient(options...)
	if err != nil {
		fatal("%v", err)
	}
	return c
}

// wrong consumes and produces with two clients that know nothing of each other.
func wrong(c config, stop context.Context) {
	commits := kgo.DisableAutoCommit()
	if c.bug == "auto-commit" {
		commits = kgo.AutoCommitInterval(time.Second)
	}
	consumer, producer := client(append(c.consuming(), commits)), client(c.producing())
	for stop.Err() == nil {
		if records := gather(consumer, c.batch); len(records) > 0 {
			apart(c, consumer, producer, records)
		}
	}
	consumer.Close()
	producer.Close()
}

// library returns the version of franz-go.
func library() string {
	info, ok := debug.ReadBuildInfo()
	for i := 0; ok && i < len(info.Deps); i++ {
		if info.Deps[i].Path == "github.com/twmb/franz-go" {
			return info.Deps[i].Version
		}
	}
	return "of an unknown version"
}

func main() {
	c := read()
	fmt.Printf("franz-go %s\n", library())
	stop, cancel := signal.NotifyContext(context.Background(), syscall.SIGTERM)
	defer cancel()
	if c.bug == "offsets-after-transaction" || c.bug == "auto-commit" {
		wrong(c, stop)
	} else {
		right(c, stop)
	}
}
