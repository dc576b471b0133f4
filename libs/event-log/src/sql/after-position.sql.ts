/**
 * Behind a position of the tail ($1 … $4), as a condition on the events. The first part is the index's; the second sets
 * apart what stands within one transaction.
 *
 * The second part stands in a CASE so that the planner does not estimate it. It compares rows by their first column alone,
 * and that is the same in a whole log: it expected one row, and read all of the log in parallel to sort it. That happened
 * in the first five executions on each connection once the log had been analyzed (150 ms with 200,000 events, when a
 * prepared statement is planned anew), and grew with the log.
 */
export const afterPosition = /* sql */ `(log_incarnation, transaction_id) >= ($1::smallint, $2::xid8)
  and case when (log_incarnation, transaction_id, stream_id, sequence) > ($1::smallint, $2::xid8, $3::uuid, $4::int)
    then true else false end`;
